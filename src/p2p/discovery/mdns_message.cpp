#include "p2p/discovery/mdns_message.hpp"

#include <algorithm>
#include <map>

#include "base/assert.hpp"

namespace oc::p2p {
namespace {

constexpr std::size_t kHeaderSize = 12;
constexpr std::size_t kMaxLabel = 63;
constexpr std::size_t kMaxName = 255;
constexpr std::uint16_t kResponse = 0x8000;
constexpr std::uint16_t kAuthoritative = 0x0400;
constexpr std::uint16_t kOpcodeAndError = 0x780f;
constexpr std::uint16_t kInternet = 1;
// The highest bit of a class asks for an answer by unicast, or says that the record is all there
// is.
constexpr std::uint16_t kClassMask = 0x7fff;
constexpr std::uint16_t kWhole = 0x8000;
constexpr Byte kPointer = 0xc0;

char lower(Byte c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c); }

// Reads the message from its front; each step fails rather than leave it.
class Reader {
 public:
  explicit Reader(BytesView message) : message_(message) {}

  std::size_t at() const { return at_; }
  bool has(std::size_t size) const { return message_.size() - at_ >= size; }

  Result<std::uint16_t> two() {
    TRY(const BytesView bytes, take(2));
    return get_be16(bytes.data());
  }
  Result<std::uint32_t> four() {
    TRY(const BytesView bytes, take(4));
    return get_be32(bytes.data());
  }
  Result<BytesView> take(std::size_t size) {
    if (!has(size)) return Errc::truncated;
    at_ += size;
    return message_.subspan(at_ - size, size);
  }

  Result<DnsName> name() {
    std::string name;
    std::size_t next = at_;
    std::optional<std::size_t> behind;  // the first pointer
    for (int jumps = 0;;) {
      if (next >= message_.size()) return Errc::truncated;
      const Byte size = message_[next];
      if (size > kMaxLabel) {
        if ((size & kPointer) != kPointer) return Errc::malformed;
        if (message_.size() - next < 2) return Errc::truncated;
        const std::size_t target = get_be16(&message_[next]) & 0x3fffu;
        if (target >= next || ++jumps > kMaxDnsJumps) return Errc::malformed;
        if (!behind) behind = next + 2;
        next = target;
        continue;
      }
      if (message_.size() - next <= size) return Errc::truncated;
      if (name.size() + 1 + size > kMaxName) return Errc::malformed;
      name.push_back(static_cast<char>(size));
      for (const Byte c : message_.subspan(next + 1, size)) name.push_back(lower(c));
      next += std::size_t{1} + size;
      if (size == 0) break;
    }
    at_ = behind.value_or(next);
    return DnsName(std::move(name));
  }

 private:
  BytesView message_;
  std::size_t at_ = 0;
};

struct RecordHead {
  DnsName name;
  std::uint16_t type = 0;
  bool internet = false;
  std::uint32_t ttl = 0;
  std::size_t size = 0;  // of the data behind it
};

Result<RecordHead> read_head(Reader& reader) {
  TRY(DnsName name, reader.name());
  TRY(const std::uint16_t type, reader.two());
  TRY(const std::uint16_t of_class, reader.two());
  TRY(const std::uint32_t ttl, reader.four());
  TRY(const std::uint16_t size, reader.two());
  if (!reader.has(size)) return Errc::truncated;
  return RecordHead{std::move(name), type, (of_class & kClassMask) == kInternet, ttl, size};
}

Result<void> read_texts(RecordHead head, BytesView data, MdnsMessage& into) {
  std::size_t room = kMaxMdnsTexts;
  for (const MdnsTexts& texts : into.texts) room -= texts.strings.size();
  MdnsTexts texts{std::move(head.name), head.ttl, {}};
  while (!data.empty()) {
    const std::size_t size = data.front();
    if (data.size() <= size) return Errc::malformed;
    const BytesView text = data.subspan(1, size);
    if (size > 0 && texts.strings.size() < room) texts.strings.emplace_back(as_text(text));
    data = data.subspan(1 + size);
  }
  if (!texts.strings.empty()) into.texts.push_back(std::move(texts));
  return success();
}

Result<void> read_record(Reader& reader, MdnsMessage& into) {
  TRY(RecordHead head, read_head(reader));
  const std::size_t end = reader.at() + head.size;
  if (head.internet && head.type == static_cast<std::uint16_t>(DnsType::ptr)) {
    TRY(DnsName target, reader.name());
    if (reader.at() != end) return Errc::malformed;
    into.pointers.push_back({std::move(head.name), std::move(target), head.ttl});
    return success();
  }
  TRY(const BytesView data, reader.take(head.size));
  if (!head.internet || head.type != static_cast<std::uint16_t>(DnsType::txt)) return success();
  return read_texts(std::move(head), data, into);
}

Result<void> read_question(Reader& reader, MdnsMessage& into) {
  TRY(DnsName name, reader.name());
  TRY(const std::uint16_t type, reader.two());
  TRY(const std::uint16_t of_class, reader.two());
  if ((of_class & kClassMask) == kInternet)
    into.questions.push_back({std::move(name), static_cast<DnsType>(type)});
  return success();
}

class Writer {
 public:
  void two(std::size_t value) {
    out_.push_back(static_cast<Byte>(value >> 8));
    out_.push_back(static_cast<Byte>(value));
  }
  void four(std::uint32_t value) {
    two(value >> 16);
    two(value & 0xffff);
  }
  void bytes(BytesView bytes) { append(out_, bytes); }

  // What was written before is pointed to.
  void name(const DnsName& name) {
    std::string_view rest = name.value();
    while (rest.size() > 1) {
      if (const auto known = names_.find(rest); known != names_.end())
        return two(std::size_t{kPointer} << 8 | known->second);
      names_.emplace(rest, out_.size());
      const std::size_t size = static_cast<Byte>(rest.front()) + std::size_t{1};
      bytes(as_bytes(rest.substr(0, size)));
      rest.remove_prefix(size);
    }
    out_.push_back(0);
  }
  // Gives where the record's data begins, for end_record().
  std::size_t begin_record(const DnsName& owner, DnsType type, std::uint16_t of_class,
                           std::uint32_t ttl) {
    name(owner);
    two(static_cast<std::uint16_t>(type));
    two(of_class);
    four(ttl);
    two(0);
    return out_.size();
  }
  void end_record(std::size_t begin) {
    put_be16(&out_[begin - 2], static_cast<std::uint16_t>(out_.size() - begin));
  }
  void header(std::uint16_t id, std::uint16_t flags, std::size_t questions, std::size_t answers,
              std::size_t additional) {
    for (const std::size_t field :
         {std::size_t{id}, std::size_t{flags}, questions, answers, std::size_t{0}, additional}) {
      two(field);
    }
  }

  std::size_t size() const { return out_.size(); }
  Bytes take() { return std::move(out_); }

 private:
  Bytes out_;
  std::map<std::string, std::size_t, std::less<>> names_;
};

// The records of one answer, in the order in which they are worth their room.
class AnswerWriter {
 public:
  explicit AnswerWriter(const MdnsAnswer& answer)
      : answer_(answer),
        legacy_(answer.legacy_query != nullptr),
        ttl_(legacy_ ? kLegacyTtl : kMdnsTtl),
        whole_(legacy_ ? kInternet : kInternet | kWhole) {}

  Bytes write() {
    const auto v4 = std::ranges::find_if(answer_.hosts, [](const auto& ip) { return ip.is_v4(); });
    const auto v6 = std::ranges::find_if(answer_.hosts, [](const auto& ip) { return ip.is_v6(); });
    const std::size_t hosts = (v4 != answer_.hosts.end()) + (v6 != answer_.hosts.end());
    out_.header(legacy_ ? answer_.legacy_query->id : 0, kResponse | kAuthoritative,
                legacy_ ? answer_.legacy_query->questions.size() : 0,
                1 + std::size_t{answer_.names_service}, 2 + hosts);
    if (legacy_) repeat_questions();
    if (answer_.names_service) pointer(mdns_services(), mdns_service());
    pointer(mdns_service(), mdns_instance(answer_.label));
    service();
    if (v4 != answer_.hosts.end()) host(DnsType::a, v4->to_v4().to_bytes());
    if (v6 != answer_.hosts.end()) host(DnsType::aaaa, v6->to_v6().to_bytes());
    texts();
    return out_.take();
  }

 private:
  void repeat_questions() {
    for (const MdnsQuestion& question : answer_.legacy_query->questions) {
      out_.name(question.name);
      out_.two(static_cast<std::uint16_t>(question.type));
      out_.two(kInternet);
    }
  }
  void pointer(const DnsName& name, const DnsName& target) {
    const auto begin = out_.begin_record(name, DnsType::ptr, kInternet, ttl_);
    out_.name(target);
    out_.end_record(begin);
  }
  void service() {
    const auto begin = out_.begin_record(mdns_instance(answer_.label), DnsType::srv, whole_, ttl_);
    out_.four(0);  // priority and weight
    out_.two(answer_.port);
    out_.name(mdns_host(answer_.label));
    out_.end_record(begin);
  }
  void host(DnsType type, BytesView address) {
    const auto begin = out_.begin_record(mdns_host(answer_.label), type, whole_, ttl_);
    out_.bytes(address);
    out_.end_record(begin);
  }
  void texts() {
    const auto begin = out_.begin_record(mdns_instance(answer_.label), DnsType::txt, whole_, ttl_);
    for (const std::string& text : answer_.texts) {
      ASSERT(text.size() <= kMaxMdnsText);
      if (out_.size() + 1 + text.size() > kMaxMdnsWritten) break;
      const auto size = static_cast<Byte>(text.size());
      out_.bytes({&size, 1});
      out_.bytes(as_bytes(text));
    }
    out_.end_record(begin);
  }

  const MdnsAnswer& answer_;
  bool legacy_;
  std::uint32_t ttl_;
  std::uint16_t whole_;
  Writer out_;
};

std::string label_and(std::string_view label, const DnsName& rest) {
  ASSERT(!label.empty() && label.size() <= kMaxLabel);
  return static_cast<char>(label.size()) + std::string(label) + rest.value();
}

}  // namespace

DnsName dns_name(std::string_view dotted) {
  std::string name;
  for (;;) {
    const std::string_view label = dotted.substr(0, dotted.find('.'));
    ASSERT(!label.empty() && label.size() <= kMaxLabel);
    name.push_back(static_cast<char>(label.size()));
    name += label;
    if (label.size() == dotted.size()) break;
    dotted.remove_prefix(label.size() + 1);
  }
  name.push_back('\0');
  return DnsName(std::move(name));
}

const DnsName& mdns_service() {
  static const DnsName name = dns_name("_p2p._udp.local");
  return name;
}

const DnsName& mdns_services() {
  static const DnsName name = dns_name("_services._dns-sd._udp.local");
  return name;
}

DnsName mdns_instance(std::string_view label) { return DnsName(label_and(label, mdns_service())); }

DnsName mdns_host(std::string_view label) {
  static const DnsName domain = dns_name("p2p.local");
  return DnsName(label_and(label, domain));
}

bool is_mdns_instance(const DnsName& name) {
  const std::string& text = name.value();
  const auto label = static_cast<Byte>(text.empty() ? 0 : text.front());
  return label > 0 && text.size() == 1 + label + mdns_service().value().size() &&
         text.ends_with(mdns_service().value());
}

Result<MdnsMessage> parse_mdns_message(BytesView message) {
  if (message.size() > kMaxMdnsMessage) return Errc::limit_exceeded;
  Reader reader(message);
  TRY(const BytesView header, reader.take(kHeaderSize));
  const std::uint16_t flags = get_be16(&header[2]);
  if ((flags & kOpcodeAndError) != 0) return Errc::unsupported;
  MdnsMessage out;
  out.id = get_be16(&header[0]);
  out.response = (flags & kResponse) != 0;
  const std::size_t questions = get_be16(&header[4]);
  const std::size_t records =
      std::size_t{get_be16(&header[6])} + get_be16(&header[8]) + get_be16(&header[10]);
  for (std::size_t i = 0; i < questions; ++i) {
    if (i == kMaxMdnsRecords) return out;
    CHECK(read_question(reader, out));
  }
  for (std::size_t i = 0; i < std::min(records, kMaxMdnsRecords); ++i)
    CHECK(read_record(reader, out));
  return out;
}

Bytes write_mdns_query() {
  Writer out;
  out.header(0, 0, 1, 0, 0);
  out.name(mdns_service());
  out.two(static_cast<std::uint16_t>(DnsType::ptr));
  out.two(kInternet);
  return out.take();
}

Bytes write_mdns_answer(const MdnsAnswer& answer) { return AnswerWriter(answer).write(); }

}  // namespace oc::p2p
