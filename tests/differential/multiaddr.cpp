#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "codec/multiaddr.hpp"
#include "codec/multihash.hpp"
#include "codec/utf8.hpp"
#include "codec/varint.hpp"
#include "comparison.hpp"
#include "multiaddr_inputs.hpp"
#include "parts.hpp"

namespace oc::differential {
namespace {

using codec::Multiaddr;
using codec::Protocol;
using codec::ProtocolEntry;

// An input, and what both sides take it for: bytes of a text, or a text of bytes.
struct Case {
  bool text;
  Bytes input;
  Result<Bytes> ours;
  Answer go;

  bool agree() const {
    if (go.verdict == Answer::Verdict::panicked) return false;
    if (!ours || !go.taken()) return ours.has_value() == go.taken();
    return *ours == go.value;
  }
  std::string description() const {
    const std::string in =
        text ? fmt::format("'{}'", as_text(input)) : fmt::format("{}", to_hex(input));
    const auto shown = [this](BytesView value) {
      return text ? to_hex(value) : std::string(as_text(value));
    };
    return fmt::format("{}\n    ours: {}\n    go's: {}", in,
                       ours ? shown(*ours) : ours.error().message(),
                       go.taken() ? shown(go.value) : std::string(as_text(go.value)));
  }
};

Case of_text(GoSide& go, const std::string& text) {
  const auto address = Multiaddr::parse(text);
  return {true, to_bytes(as_bytes(text)),
          address ? Result<Bytes>(address->bytes()) : Result<Bytes>(address.error()),
          go.ask('T', as_bytes(text))};
}

Case of_bytes(GoSide& go, const Bytes& bytes) {
  const auto address = Multiaddr::from_bytes(bytes);
  return {false, bytes,
          address ? Result<Bytes>(to_bytes(as_bytes(address->to_string())))
                  : Result<Bytes>(address.error()),
          go.ask('B', bytes)};
}

// ---- what is meant

struct Step {
  const ProtocolEntry* protocol;
  std::string_view value;
};

// Of an address that go takes.
std::vector<Step> steps_of(BytesView rest) {
  std::vector<Step> steps;
  while (!rest.empty()) {
    const auto code = codec::take_uvarint(rest);
    const ProtocolEntry* protocol = code ? codec::find_protocol(*code) : nullptr;
    if (protocol == nullptr) break;
    std::size_t size = static_cast<std::size_t>(std::max(protocol->size, 0));
    if (protocol->size == ProtocolEntry::kVariable) {
      size = static_cast<std::size_t>(*codec::take_uvarint(rest));
    }
    size = std::min(size, rest.size());
    steps.push_back({protocol, as_text(rest.first(size))});
    rest = rest.subspan(size);
  }
  return steps;
}

std::vector<Step> taken_by_go(const Case& c) { return steps_of(c.text ? c.go.value : c.input); }

bool is_name(Protocol code) {
  return code == Protocol::ip6zone || code == Protocol::dns || code == Protocol::dns4 ||
         code == Protocol::dns6 || code == Protocol::dnsaddr || code == Protocol::sni;
}

template <class Odd>
bool go_takes_odd(const Case& c, Odd odd) {
  return !c.ours && c.go.taken() && std::ranges::any_of(taken_by_go(c), odd);
}

// What only go knows.
struct Absent {
  const char* name;
  const char* reason;
};
constexpr Absent kAbsent[] = {
    {"onion", "Tor has given up version 2 of its addresses"},
    {"garlic32", "nobody announces it: I2P's own addresses are garlic64"},
    {"plaintextv2", "a connection without encryption is never made"},
};

constexpr std::string_view kMapped("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);

// A difference that is meant: who refuses what the other takes, and why that is right for us.
struct Meant {
  const char* reason;
  bool (*covers)(const Case& c);
};

constexpr Meant kMeant[] = {
    {"we bound an address: 4096 bytes of text, 2048 bytes, 32 steps",
     [](const Case& c) {
       return !c.ours && c.go.taken() && c.ours.error() == Errc::limit_exceeded &&
              (c.input.size() > (c.text ? Multiaddr::kMaxText : Multiaddr::kMaxBytes) ||
               taken_by_go(c).size() > Multiaddr::kMaxComponents ||
               (c.text && c.go.value.size() > Multiaddr::kMaxBytes));
     }},
    {"a name is printable UTF-8 without blanks, of at most 255 bytes: it is looked up and shown",
     [](const Case& c) {
       return go_takes_odd(c, [](const Step& step) {
         return is_name(step.protocol->code) &&
                (step.value.size() > 255 || step.value.find(' ') != step.value.npos ||
                 !codec::is_printable_utf8(step.value));
       });
     }},
    {"a path has at most 1024 bytes, of a Unix socket printable ones: it is shown",
     [](const Case& c) {
       return go_takes_odd(c, [](const Step& step) {
         const bool socket = step.protocol->code == Protocol::unix_socket;
         return (socket && !codec::is_printable_utf8(step.value)) ||
                ((socket || step.protocol->code == Protocol::http_path) &&
                 step.value.size() > 1024);
       });
     }},
    {"a digest has at most 128 bytes: no hash has more",
     [](const Case& c) {
       return go_takes_odd(c, [](const Step& step) {
         if (step.protocol->code != Protocol::certhash) return false;
         BytesView hash = as_bytes(step.value);
         return codec::take_uvarint(hash) && *codec::take_uvarint(hash) > codec::kMaxDigestSize;
       });
     }},
    {"a key inside a peer id has 1 to 42 bytes (libp2p/specs peer-ids)",
     [](const Case& c) {
       return go_takes_odd(c, [](const Step& step) {
         if (step.protocol->code != Protocol::p2p || step.value[0] != 0) return false;
         BytesView size = as_bytes(step.value).subspan(1);
         const auto key = codec::take_uvarint(size);
         return key && (*key == 0 || *key > codec::PeerId::kMaxInlineKeySize);
       });
     }},
    {"an IPv4 address is no /ip6, nor a mapped one an /ip4: each has one text",
     [](const Case& c) {
       return c.text && go_takes_odd(c, [&c](const Step& step) {
                const bool mapped = step.value.starts_with(kMapped) &&
                                    as_text(c.input).find("/ip6/::ffff:") == std::string_view::npos;
                return (step.protocol->code == Protocol::ip6 && mapped) ||
                       (step.protocol->code == Protocol::ip4 &&
                        as_text(c.input).find("/ip4/::") != std::string_view::npos);
              });
     }},
    {"a blank in an HTTP path is written %20, not +; both are read",
     [](const Case& c) {
       if (c.text || !c.ours || !c.go.taken()) return false;
       std::string ours(as_text(*c.ours));
       for (std::size_t at; (at = ours.find("%20")) != ours.npos;) ours.replace(at, 3, "+");
       return ours == as_text(c.go.value);
     }},
    {"base32z is a base like the others",
     [](const Case& c) {
       const auto has = [input = as_text(c.input)](std::string_view part) {
         return input.find(part) != input.npos;
       };
       return c.text && c.ours && !c.go.taken() &&
              (has("/certhash/h") || has("/p2p/h") || has("/ipfs/h"));
     }},
};

void judge(const Case& c, Comparison& comparison) {
  if (c.agree()) return comparison.agreed(c.ours.has_value());
  for (const Meant& meant : kMeant) {
    if (meant.covers(c)) return comparison.differed_as_meant(meant.reason);
  }
  comparison.disagreed(c.description());
}

}  // namespace

bool compare_protocols(GoSide& go) {
  bool same = true;
  for (const Absent& absent : kAbsent) {
    const bool so = go.ask('N', as_bytes(absent.name)).taken() &&
                    codec::find_protocol(std::string_view(absent.name)) == nullptr;
    fmt::print("{}: {}\n", absent.name, so ? absent.reason : "no longer is go's alone");
    same &= so;
  }
  for (const ProtocolEntry& entry : codec::protocol_table()) {
    const Answer answer = go.ask('N', as_bytes(entry.name));
    const auto bits = entry.size < 0 ? entry.size : entry.size * 8;
    const bool equal = answer.taken() &&
                       get_be32(&answer.value[0]) == static_cast<std::uint32_t>(entry.code) &&
                       static_cast<std::int32_t>(get_be32(&answer.value[4])) == bits;
    if (!equal) fmt::print("go has another '{}', or none\n", entry.name);
    same &= equal;
  }
  return same;
}

bool compare_multiaddrs(GoSide& go, std::size_t count, std::uint64_t seed) {
  Dice dice(seed);
  Comparison texts("texts"), bytes("bytes");
  for (std::size_t i = 0; i < count; ++i) {
    const Case text = of_text(go, multiaddr_text(dice));
    judge(text, texts);
    if (text.ours) judge(of_bytes(go, *text.ours), bytes);
    judge(of_bytes(go, multiaddr_bytes(dice)), bytes);
  }
  const bool texts_fine = texts.report();
  return bytes.report() && texts_fine;
}

}  // namespace oc::differential
