#include "redis.hpp"

#include <fmt/format.h>
#include <hiredis/hiredis.h>
#include <sys/time.h>

#include <stdexcept>

namespace oc::harness {
namespace {

// The server is on the same machine and does next to nothing.
constexpr timeval kPatience{.tv_sec = 5, .tv_usec = 0};

struct FreeReply {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, FreeReply>;

[[noreturn]] void fail(const char* why) {
  throw std::runtime_error(fmt::format("the Redis server: {}", why));
}

// Takes over what redisCommand() gave.
Reply answer(const redisContext& context, void* given) {
  Reply reply(static_cast<redisReply*>(given));
  if (reply == nullptr) fail(context.errstr);
  if (reply->type == REDIS_REPLY_ERROR) fail(reply->str);
  return reply;
}

std::string text_of(const redisReply& value) {
  if (value.type != REDIS_REPLY_STRING) fail("a value that is no text");
  return {value.str, value.len};
}

void wait_at_most(redisContext* context, timeval limit) {
  if (redisSetTimeout(context, limit) != REDIS_OK) fail(context->errstr);
}

}  // namespace

void Redis::Disconnect::operator()(redisContext* context) const { redisFree(context); }

Redis::Redis(const RedisAddress& at)
    : context_(redisConnectWithTimeout(at.host.c_str(), at.port, kPatience)) {
  if (context_ == nullptr) throw std::bad_alloc();
  if (context_->err != 0) fail(context_->errstr);
  wait_at_most(context_.get(), kPatience);
}

void Redis::push(const std::string& key, const std::string& value) {
  answer(*context_, redisCommand(context_.get(), "RPUSH %b %b", key.data(), key.size(),
                                 value.data(), value.size()));
}

std::string Redis::pop(const std::string& key, std::chrono::seconds limit) {
  wait_at_most(context_.get(), {kPatience.tv_sec + limit.count(), 0});
  const std::string seconds = std::to_string(limit.count());
  const Reply reply = answer(*context_, redisCommand(context_.get(), "BLPOP %b %s", key.data(),
                                                     key.size(), seconds.c_str()));
  if (reply->type == REDIS_REPLY_NIL)
    throw std::runtime_error(fmt::format("nothing came in {} within {} s", key, limit.count()));
  // The name of the list, and the value.
  if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2) fail("an answer that is no pair");
  return text_of(*reply->element[1]);
}

void Redis::set(const std::string& key, const std::string& value) {
  answer(*context_, redisCommand(context_.get(), "SET %b %b", key.data(), key.size(), value.data(),
                                 value.size()));
}

std::optional<std::string> Redis::get(const std::string& key) {
  const Reply reply =
      answer(*context_, redisCommand(context_.get(), "GET %b", key.data(), key.size()));
  if (reply->type == REDIS_REPLY_NIL) return std::nullopt;
  return text_of(*reply);
}

}  // namespace oc::harness
