// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/base/text.h>
#include <pronghorn/server/body_error.h>

#include <array>

namespace pronghorn {
namespace {

struct Row {
  int status;
  const char* text;
};

// In the order of BodyErrc, from 1.
constexpr std::array kRows{
    Row{400, "the body breaks its format"},
    Row{415, "the body is of another type"},
    Row{413, "the body is over a limit"},
    Row{507, "no space for an uploaded file"},
    Row{500, "an uploaded file could not be written"},
};

const Row& row(int value) { return kRows.at(static_cast<std::size_t>(value) - 1); }

class Category : public std::error_category {
 public:
  const char* name() const noexcept override { return "pronghorn body"; }
  std::string message(int value) const override { return row(value).text; }
};

}  // namespace

const std::error_category& body_error_category() noexcept {
  static const Category category;
  return category;
}

std::error_code make_error_code(BodyErrc code) noexcept {
  return {static_cast<int>(code), body_error_category()};
}

Error body_error(BodyErrc code, std::string text) {
  return {make_error_code(code), std::move(text)};
}

int status_of(const Error& error) noexcept {
  return error.code().category() == body_error_category() ? row(error.code().value()).status : 500;
}

Response error_response(const Error& error) {
  const int status = status_of(error);
  if (status >= 500) return Response::error(status);
  return Response::text(escape_control(error.message()) + "\n").status(status);
}

}  // namespace pronghorn
