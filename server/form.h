// SPDX-License-Identifier: Apache-2.0
// application/x-www-form-urlencoded: what a browser's form, or a query, says.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/server/body_error.h>
#include <pronghorn/server/request.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pronghorn {

struct FormLimits {
  std::size_t fields = 1000;  ///< more are BodyErrc::too_large
};

/// The fields of a form in the order in which they came; a name may come more than once. Names and
/// values are decoded bytes: '+' is a space and %XX any byte, NUL and what is not UTF-8 included.
class Form {
 public:
  struct Field {
    std::string name, value;
  };

  /// `name=value&…`; empty pieces are skipped, one without '=' has an empty value.
  /// @errors malformed (a '%' without two hexadecimal digits), too_large
  static Result<Form> parse(std::string_view encoded, const FormLimits& limits = {});

  /// The first value of that name.
  std::optional<std::string_view> get(std::string_view name) const noexcept;
  /// All of them, in order. The views live as long as the form.
  std::vector<std::string_view> all(std::string_view name) const;
  std::span<const Field> fields() const noexcept { return fields_; }

 private:
  std::vector<Field> fields_;
};

/// The request's body as a form. @errors unsupported_type when its Content-Type says something
/// else; those of Form::parse
Result<Form> form_body(const Request& request, const FormLimits& limits = {});

/// The first value of that name in the request's query, decoded. Empty when there is none, and when
/// it is wrongly encoded: Form::parse(request.query()) tells the two apart.
std::optional<std::string> query_param(const Request& request, std::string_view name);

}  // namespace pronghorn
