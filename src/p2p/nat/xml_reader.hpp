// XmlReader: an XML text tag by tag, as far as a router's descriptions and answers need it. Without
// I/O, without a tree.
//
// Reads what is not well-formed, too, as far as it goes: it promises to end, in time proportional
// to the text, and to look nowhere else. Names come without their namespaces' prefixes. Attributes,
// comments, processing instructions and document types are skipped; of entities the five of XML
// itself are known, and none can be defined.
//
// Source: XML 1.0 (fifth edition); Namespaces in XML 1.0.
#pragma once

#include <string>
#include <string_view>

namespace oc::p2p {

class XmlReader {
 public:
  enum class Step { open, close, end };

  // Borrows the text.
  explicit XmlReader(std::string_view text) : left_(text) {}

  // On to the next tag. <a/> opens and closes.
  Step next();
  // Of the tag.
  std::string_view name() const { return name_; }
  // After close: what stood between this tag and the one before it, without the white space at
  // both ends. Of an element without others inside that is its content.
  std::string text() const;

 private:
  // Cuts off all up to and with `end`; what was before it. All, when it is not there.
  std::string_view cut_to(std::string_view end);
  Step open_tag();
  Step close_tag();

  std::string_view left_;
  std::string_view name_;
  std::string text_;
  bool empty_element_ = false;  // <a/> was opened and is to be closed
};

}  // namespace oc::p2p
