// SPDX-License-Identifier: Apache-2.0
// The writer's side of an answer: what a handler says is checked here, at once, so that it hears of
// its mistakes; nothing is sent before the session looks.
#include "server/answer_state.h"

#include "server/handler_tasks.h"
#include "server/serializer.h"
#include "server/session.h"
#include "server/status.h"
#include "server/syntax.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <exception>

namespace pronghorn::server {
namespace {

/// RFC 9110 §6.5.1: what a recipient needs before the content, or must not take from a trailer.
bool is_trailer(std::string_view name) noexcept {
  constexpr std::array<std::string_view, 33> kNever = {"age",
                                                       "authorization",
                                                       "cache-control",
                                                       "connection",
                                                       "content-encoding",
                                                       "content-length",
                                                       "content-range",
                                                       "content-type",
                                                       "cookie",
                                                       "date",
                                                       "expect",
                                                       "expires",
                                                       "host",
                                                       "if-match",
                                                       "if-modified-since",
                                                       "if-none-match",
                                                       "if-range",
                                                       "if-unmodified-since",
                                                       "keep-alive",
                                                       "location",
                                                       "max-forwards",
                                                       "pragma",
                                                       "proxy-authenticate",
                                                       "proxy-authorization",
                                                       "range",
                                                       "retry-after",
                                                       "set-cookie",
                                                       "te",
                                                       "trailer",
                                                       "transfer-encoding",
                                                       "upgrade",
                                                       "vary",
                                                       "www-authenticate"};
  return std::ranges::none_of(kNever, [&](std::string_view never) { return iequals(name, never); });
}

std::unexpected<Error> error(Errc code) {
  return std::unexpected(Error(code, make_error_code(code).message()));
}

/// Says which of them is wrong.
Result<void> check_fields(const AnswerState::Headers& headers) {
  auto wrong = unsendable_part(headers);
  if (wrong.empty()) return {};
  return std::unexpected(Error(Errc::invalid_char, std::move(wrong)));
}

void append_chunk(std::string& out, std::string_view bytes) {
  std::array<char, 16> digits;
  char* end = std::to_chars(digits.data(), digits.data() + digits.size(), bytes.size(), 16).ptr;
  out.append(digits.data(), end).append("\r\n").append(bytes).append("\r\n");
}

}  // namespace

AnswerState::AnswerState(Session& of)
    : session(&of),
      owner(of.context_.owner),
      loop(of.context_.loop),
      request(&of.exchange_->request),
      is_head(of.exchange_->check.is_head_request()),
      is_http10(of.exchange_->check.minor_version() == 0) {}
AnswerState::~AnswerState() = default;

void AnswerState::tell() noexcept {
  if (session == nullptr || told) return;
  told = true;
  if (owner != nullptr) owner->on_output();
}

void AnswerState::put_continue() {
  if (head_sent || (stage != Stage::waiting && stage != Stage::started)) return;
  if (stage == Stage::waiting) head_at = output.size();
  output.insert(head_at, kContinue);
  head_at += kContinue.size();
}

Error AnswerState::unusable() const {
  bool over = stage == Stage::responded || stage == Stage::ended || stage == Stage::shut ||
              stage == Stage::finished;
  Errc code = over ? Errc::write_after_end : Errc::stream_destroyed;
  return {code, make_error_code(code).message()};
}

/// What the handler said cannot be sent: the client gets a 500, or a cut.
Result<void> AnswerState::refuse(Error why) {
  fail();
  return std::unexpected(std::move(why));
}

Result<void> AnswerState::refuse(Errc code) { return refuse(error(code).error()); }

void AnswerState::fail_with(int code) noexcept {
  if (stage != Stage::waiting && stage != Stage::started && stage != Stage::upgraded) return;
  started_before_failure = stage != Stage::waiting;
  fail_status = code;
  stage = Stage::failed;
  tell();
}

/// An exception on its way out is the better reason, and is logged where it is caught.
void AnswerState::drop() noexcept {
  if (stage == Stage::waiting && session != nullptr && std::uncaught_exceptions() == 0) {
    log_failure(request, "its writer was dropped unanswered");
  }
  fail();
}

Result<void> AnswerState::take_head(Response response, Stage next) {
  if (stage != Stage::waiting) return error(Errc::headers_sent);
  if (session == nullptr) return std::unexpected(unusable());
  if (response.status() < 200 || response.status() > 599) {
    return refuse(Error(Errc::invalid_status_code, unsendable_part(response)));
  }
  if (!is_sendable(response)) {
    return refuse(Error(Errc::invalid_char, unsendable_part(response)));
  }
  head = std::move(response);
  head_at = output.size();
  stage = next;
  tell();
  return {};
}

Result<void> AnswerState::respond(Response response) {
  return take_head(std::move(response), Stage::responded);
}

Result<void> AnswerState::informational(int code, const Headers& headers) {
  if (stage != Stage::waiting) return error(Errc::headers_sent);
  if (session == nullptr) return std::unexpected(unusable());
  if (code != 102 && code != 103) return error(Errc::invalid_status_code);
  if (auto fine = check_fields(headers); !fine) return fine;
  if (is_http10) return {};
  serialize_informational(code, headers, output);
  tell();
  return {};
}

Result<void> AnswerState::start(Response response, std::optional<std::uint64_t> content_length) {
  if (stage == Stage::waiting && session != nullptr &&
      !std::holds_alternative<std::monostate>(response.body())) {
    return refuse(Errc::invalid_arg_value);
  }
  if (auto taken = take_head(std::move(response), Stage::started); !taken) return taken;
  length = content_length;
  bool never = is_bodiless(head->status());
  bodiless = is_head || never || head->status() == 205;
  chunked = !length && !is_http10 && !bodiless;
  return {};
}

/// @returns whether there is room for more
bool AnswerState::take_output(std::string_view bytes) {
  output.append(bytes);
  tell();
  std::size_t waiting = output.size() + (owner != nullptr ? owner->unsent_output() : 0);
  if (waiting < session->context_.limits.write_buffer) return true;
  needs_drain = true;
  return false;
}

Result<bool> AnswerState::write(std::string_view bytes) {
  if (stage == Stage::waiting && session != nullptr) return error(Errc::headers_not_sent);
  if (stage != Stage::started || session == nullptr) return std::unexpected(unusable());
  if (length && bytes.size() > *length - written) return error(Errc::content_length_mismatch);
  written += bytes.size();
  if (bytes.empty() || bodiless) return true;
  if (!chunked) return take_output(bytes);
  append_chunk(output, bytes);
  return take_output({});
}

Result<void> AnswerState::end(const Headers& trailers) {
  if (stage == Stage::waiting && session != nullptr) return error(Errc::headers_not_sent);
  if (stage != Stage::started || session == nullptr) return std::unexpected(unusable());
  if (!trailers.empty()) {
    bool fit =
        std::ranges::all_of(trailers, [](const auto& field) { return is_trailer(field.name); });
    if (auto fine = check_fields(trailers); !fine) return fine;
    // Discarded for HTTP/1.0, as in Node: a handler need not know who asks.
    bool may_come = chunked || is_head || (is_http10 && !length);
    if (!fit || !may_come) return error(Errc::trailer_invalid);
  }
  if (length && written < *length && !bodiless) return refuse(Errc::content_length_mismatch);
  if (chunked) {
    output.append("0\r\n");
    for (const auto& [name, value] : trailers) {
      output.append(name).append(": ").append(value).append("\r\n");
    }
    output.append("\r\n");
  }
  stage = Stage::ended;
  tell();
  return {};
}

Result<void> AnswerState::upgrade(Response response) {
  if (stage != Stage::waiting) return error(Errc::headers_sent);
  if (session == nullptr) return std::unexpected(unusable());
  if (!session->may_upgrade()) return error(Errc::upgrade_not_asked);
  if (auto fine = check_fields(response.headers()); !fine) return refuse(fine.error());
  head = std::move(response);
  head_at = output.size();
  is_upgrade = true;
  on_end = nullptr;  // the writer's: the stream is told anew
  client_done = false;
  stage = Stage::upgraded;
  tell();
  return {};
}

Result<bool> AnswerState::write_raw(std::string_view bytes) {
  if (stage != Stage::upgraded || session == nullptr) return std::unexpected(unusable());
  return take_output(bytes);
}

void AnswerState::shut() {
  if (stage != Stage::upgraded) return;
  stage = Stage::shut;
  tell();
}

/// What was written and is not out yet is lost, and nobody is told who knows.
void AnswerState::destroy() {
  if (stage != Stage::upgraded && stage != Stage::shut) return;
  on_close = nullptr;
  output.clear();
  stage = Stage::upgraded;
  fail();
}

void AnswerState::set_on_data(std::function<void(std::string_view)> call) {
  on_data = std::move(call);
  tell();  // what was held back
}
void AnswerState::set_on_drain(std::function<void()> call) { on_drain = std::move(call); }
void AnswerState::set_on_client_end(std::function<void()> call) {
  on_end = std::move(call);
  tell();  // it may have come
}
void AnswerState::set_on_end(std::function<void()> call) { on_end = std::move(call); }

/// One that comes too late is called all the same, from the loop.
void AnswerState::set_on_close(std::function<void()> call) {
  if (session != nullptr || stage == Stage::finished) {
    on_close = std::move(call);
  } else if (loop != nullptr && call) {
    loop->defer([call = std::move(call)] { call(); });
  }
}

void AnswerState::set_on_shutdown(std::function<void()> call) {
  on_shutdown = std::move(call);
  if (session != nullptr) session->context_.tasks->watch(shared_from_this());
}

}  // namespace pronghorn::server
