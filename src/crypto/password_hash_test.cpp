#include "crypto/password_hash.hpp"

#include <gtest/gtest.h>

namespace oc::crypto {
namespace {

struct Known {
  const char* password;
  const char* hash;
};

// The self-tests of crypt_blowfish (for ASCII, $2b$ and $2y$ equal $2a$), and of the Argon2
// reference implementation.
constexpr Known kKnown[] = {
    {"U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"},
    {"U*U", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"},
    {"U*U*", "$2y$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"},
    {"U*U*U", "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"},
    {"", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy"},
    {"password",
     "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"},
    {"password",
     "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc"}};

TEST(PasswordHash, verifies_known_hashes_and_no_other_password) {
  for (const Known& known : kKnown) {
    EXPECT_TRUE(check_hash_format(known.hash).has_value()) << known.hash;
    EXPECT_TRUE(verify_password(known.password, known.hash)) << known.hash;
    EXPECT_FALSE(verify_password(std::string(known.password) + "x", known.hash)) << known.hash;
  }
}

// libxcrypt, test/ka-table.inc (made with Passlib's own bcrypt): bytes above 127, where $2a$ and
// $2b$ once differed, and the 72 bytes that count.
TEST(PasswordHash, verifies_known_bcrypt_hashes_of_bytes_and_long_passwords) {
  const std::string digits =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  const std::string longest = "$2b$05$CCCCCCCCCCCCCCCCCCCCC.n2VnrmAaokJwiDSekcCjbZxRIyVngRy";
  const std::pair<std::string, std::string> known[] = {
      {"\xa3", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.BvtRGGx3p8o0C5C36uS442Qqnrwofrq"},
      {"\xa3", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.BvtRGGx3p8o0C5C36uS442Qqnrwofrq"},
      {"\xff\xff\xa3", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.Qjdj3GXX7D0sFE9jji6wxSTWIhqI3US"},
      {"\xff\xff\xa3", "$2y$05$CCCCCCCCCCCCCCCCCCCCC.Qjdj3GXX7D0sFE9jji6wxSTWIhqI3US"},
      {"1\xa3"
       "345",
       "$2y$05$CCCCCCCCCCCCCCCCCCCCC.RbKkfW2ph8bd8B5yul5E97DxgDw9cT."},
      {"\xd5\xaa\xd5\xaa\xaa\xaa\xd5\xaa",
       "$2a$05$CCCCCCCCCCCCCCCCCCCCC.qJn4AY9ch/WAR5JXeeJtVGeovjQrhd2"},
      {digits, longest},
      {digits + "chars after 72 are ignored", longest}};
  for (const auto& [password, hash] : known) {
    EXPECT_TRUE(verify_password(password, hash)) << hash;
    EXPECT_FALSE(verify_password('x' + password, hash)) << hash;
  }
  EXPECT_FALSE(verify_password(digits.substr(0, 71), longest));
}

// More of the Argon2id list of the reference implementation (src/test.c), with the 64 MiB that the
// secret of a network takes.
TEST(PasswordHash, verifies_known_argon2id_hashes_that_take_much_memory) {
  const Known known[] = {
      {"password",
       "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"},
      {"password",
       "$argon2id$v=19$m=65536,t=1,p=1$c29tZXNhbHQ$9qWtwbpyPd3vm1rB1GThgPzZ3/ydHL92zKL+15XZypg"},
      {"differentpassword",
       "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$C4TWUs9rDEvq7w3+J4umqA32aWKB1+DSiRuBfYxFj94"},
      {"password",
       "$argon2id$v=19$m=65536,t=2,p=1$ZGlmZnNhbHQ$vfMrBczELrFdWP0ZsfhWsRPaHppYdP3MVEMIVlqoFBw"}};
  for (const auto& [password, hash] : known) EXPECT_TRUE(verify_password(password, hash)) << hash;
}

TEST(PasswordHash, what_is_hashed_verifies) {
  const std::string hash = hash_password("correct horse");
  EXPECT_TRUE(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$")) << hash;
  EXPECT_TRUE(check_hash_format(hash).has_value());
  EXPECT_TRUE(verify_password("correct horse", hash));
  EXPECT_FALSE(verify_password("correct horsf", hash));
  EXPECT_FALSE(verify_password({}, hash));
  EXPECT_TRUE(verify_password({}, hash_password({})));
}

TEST(PasswordHash, the_same_password_hashes_differently_each_time) {
  EXPECT_NE(hash_password("a"), hash_password("a"));
}

TEST(PasswordHash, argon2_takes_any_byte_but_bcrypt_no_nul) {
  const std::string_view with_nul("U*U\0x", 5);
  EXPECT_TRUE(verify_password(with_nul, hash_password(with_nul)));
  EXPECT_FALSE(verify_password(with_nul, kKnown[0].hash));
}

TEST(PasswordHash, a_password_beyond_the_bound_never_verifies) {
  const std::string longest(kMaxPasswordSize, 'a');
  const std::string hash = hash_password(longest);
  EXPECT_TRUE(verify_password(longest, hash));
  EXPECT_FALSE(verify_password(longest + 'a', hash));
}

TEST(PasswordHash, other_kinds_are_unsupported) {
  for (const char* hash :
       {"", "admin", "$1$abcdefgh$irWbblnpmw.5z7wgBnprh0", "$argon2i$v=19$m=256,t=2,p=1$c29t$aGFz",
        "$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "$2$05$abc", "$5$a$b",
        "$y$j9T$abc$def", "$argon2id$v=16$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR"}) {
    EXPECT_EQ(check_hash_format(hash).error(), Errc::unsupported) << hash;
    EXPECT_FALSE(verify_password("", hash));
  }
}

TEST(PasswordHash, every_truncated_prefix_of_a_hash_is_refused_or_verifies_nothing) {
  for (const Known& known : kKnown) {
    const std::string_view whole = known.hash;
    for (std::size_t n = 0; n < whole.size(); ++n) {
      EXPECT_FALSE(verify_password(known.password, whole.substr(0, n))) << whole.substr(0, n);
    }
  }
}

TEST(PasswordHash, malformed_hashes_are_refused) {
  for (const char* hash :
       {"$argon2id$v=19$m=,t=2,p=1$c29tZXNhbHQ$aGFzaA", "$argon2id$v=19$m=256,t=0,p=1$c29t$aGFz",
        "$argon2id$v=19$m=256,t=2,p=0$c29t$aGFz", "$argon2id$v=19$m=7,t=2,p=1$c29t$aGFz",
        "$argon2id$v=19$m=-1,t=2,p=1$c29t$aGFz", "$argon2id$v=19$m=256,t=2,p=1$c29t",
        "$argon2id$v=19$m=256,t=2,p=1$$aGFz", "$argon2id$v=19$m=256,t=2,p=1$c29t$",
        "$argon2id$v=19$m=256,t=2,p=1$c29t$a$b", "$argon2id$v=19$m=99999999999,t=2,p=1$c29t$aGFz",
        "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe",
        "$2b$5$CCCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "$2b$03$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe:",
        "$2b$-5$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"}) {
    EXPECT_EQ(check_hash_format(hash).error(), Errc::malformed) << hash;
    EXPECT_FALSE(verify_password("x", hash));
  }
}

TEST(PasswordHash, hashes_that_ask_for_too_much_work_are_refused) {
  for (const char* hash : {"$argon2id$v=19$m=1048577,t=2,p=1$c29tZXNhbHQ$aGFzaA",
                           "$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ$aGFzaA",
                           "$argon2id$v=19$m=256,t=17,p=1$c29tZXNhbHQ$aGFzaA",
                           "$argon2id$v=19$m=1024,t=1,p=17$c29tZXNhbHQ$aGFzaA",
                           "$2b$17$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
                           "$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"}) {
    EXPECT_EQ(check_hash_format(hash).error(), Errc::limit_exceeded) << hash;
    EXPECT_FALSE(verify_password("x", hash));
  }
}

// Computed with the reference implementation through Python's argon2-cffi.
TEST(NetworkSecret, is_the_same_on_every_node) {
  EXPECT_EQ(to_hex(derive_network_secret("correct horse", "home")),
            "92af21eaa416806f642040b9a948bec384906e9bfe8b76b053c0d19ac748a096");
}

TEST(NetworkSecret, depends_on_password_and_name) {
  const FixedBytes<32> secret = derive_network_secret("password", "home");
  EXPECT_NE(secret, derive_network_secret("Password", "home"));
  EXPECT_NE(secret, derive_network_secret("password", "Home"));
}

}  // namespace
}  // namespace oc::crypto
