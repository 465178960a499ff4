// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/server/form.h>

#include "server/parameters.h"
#include "server/percent.h"

namespace pronghorn {
namespace {

/// Takes the next `name=value` off the front.
std::string_view next_pair(std::string_view& text) noexcept {
  const auto end = text.find('&');
  const std::string_view pair = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  return pair;
}

bool decode_name(std::string_view pair, std::string& out) {
  return server::append_percent_decoded(out, pair.substr(0, pair.find('=')), true);
}

bool decode_value(std::string_view pair, std::string& out) {
  const auto equals = pair.find('=');
  return equals == std::string_view::npos ||
         server::append_percent_decoded(out, pair.substr(equals + 1), true);
}

}  // namespace

Result<Form> Form::parse(std::string_view encoded, const FormLimits& limits) {
  Form form;
  while (!encoded.empty()) {
    const std::string_view pair = next_pair(encoded);
    if (pair.empty()) continue;
    if (form.fields_.size() == limits.fields) {
      return std::unexpected(
          body_error(BodyErrc::too_large,
                     "the form has more than " + std::to_string(limits.fields) + " fields"));
    }
    Field field;
    if (!decode_name(pair, field.name) || !decode_value(pair, field.value)) {
      return std::unexpected(
          body_error(BodyErrc::malformed, "field " + std::to_string(form.fields_.size() + 1) +
                                              " of the form has a wrong %-escape"));
    }
    form.fields_.push_back(std::move(field));
  }
  return form;
}

std::optional<std::string_view> Form::get(std::string_view name) const noexcept {
  for (const Field& field : fields_) {
    if (field.name == name) return field.value;
  }
  return std::nullopt;
}

std::vector<std::string_view> Form::all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const Field& field : fields_) {
    if (field.name == name) values.emplace_back(field.value);
  }
  return values;
}

Result<Form> form_body(const Request& request, const FormLimits& limits) {
  if (!server::is_media_type(request.header("content-type"), "application/x-www-form-urlencoded")) {
    return std::unexpected(body_error(BodyErrc::unsupported_type,
                                      "the body must be application/x-www-form-urlencoded"));
  }
  return Form::parse(request.body(), limits);
}

std::optional<std::string> query_param(const Request& request, std::string_view name) {
  std::string_view query = request.query();
  while (!query.empty()) {
    const std::string_view pair = next_pair(query);
    std::string text;
    if (pair.empty() || !decode_name(pair, text) || text != name) continue;
    text.clear();
    if (!decode_value(pair, text)) return std::nullopt;
    return text;
  }
  return std::nullopt;
}

}  // namespace pronghorn
