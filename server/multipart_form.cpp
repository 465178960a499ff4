// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/server/file_name.h>
#include <pronghorn/server/multipart_form.h>

#include "server/buffer.h"
#include "server/temporary_file.h"

namespace pronghorn {
namespace {

std::unexpected<Error> too_large(std::string what, std::uint64_t limit) {
  return std::unexpected(body_error(BodyErrc::too_large,
                                    std::move(what) + " over " + std::to_string(limit) + " bytes"));
}

}  // namespace

Result<std::string> UploadedFile::read() const {
  if (!file_) return bytes_;
  return server::read_all(file_.get());
}

Result<void> UploadedFile::save(const std::string& path) const {
  if (!file_) return server::save_bytes(bytes_, path);
  return server::save_temporary(file_.get(), path);
}

struct MultipartForm::Impl final : MultipartParser::Owner {
  Impl(std::string_view boundary, const MultipartLimits& l)
      : limits(l), parser(boundary, l.parser, *this) {}

  Result<void> on_part(MultipartHead head) override {
    in_file = head.file_name.has_value();
    if (in_file) {
      UploadedFile& file = files.emplace_back();
      file.field = std::move(head.name);
      file.name = safe_file_name(*head.file_name);
      file.sent_name = std::move(*head.file_name);
      file.type = std::move(head.type);
      return {};
    }
    field_bytes += head.name.size();
    fields.push_back({std::move(head.name), {}});
    return {};
  }

  Result<void> on_data(std::string_view bytes) override {
    if (in_file) return add_to(files.back(), bytes);
    std::string& value = fields.back().value;
    if (value.size() + bytes.size() > limits.field) return too_large("a field is", limits.field);
    field_bytes += bytes.size();
    if (field_bytes > limits.fields) return too_large("the fields are", limits.fields);
    value += bytes;
    return {};
  }

  Result<void> on_part_end() override { return {}; }

  Result<void> add_to(UploadedFile& file, std::string_view bytes) {
    file.size += bytes.size();
    file_bytes += bytes.size();
    if (file.size > limits.file) return too_large("a file is", limits.file);
    if (file_bytes > limits.files) return too_large("the files are", limits.files);
    if (!file.file_) {
      if (file.size <= limits.file_in_memory) {
        file.bytes_ += bytes;
        return {};
      }
      auto opened = server::open_temporary(limits.directory);
      if (!opened) return std::unexpected(opened.error());
      file.file_ = std::move(*opened);
      if (auto moved = server::append_to(file.file_.get(), file.bytes_); !moved) return moved;
      server::let_go(file.bytes_);
    }
    return server::append_to(file.file_.get(), bytes);
  }

  MultipartLimits limits;
  MultipartParser parser;
  std::vector<Form::Field> fields;
  std::vector<UploadedFile> files;
  std::uint64_t field_bytes = 0;
  std::uint64_t file_bytes = 0;
  bool in_file = false;
};

MultipartForm::MultipartForm(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MultipartForm::~MultipartForm() = default;
MultipartForm::MultipartForm(MultipartForm&&) noexcept = default;
MultipartForm& MultipartForm::operator=(MultipartForm&&) noexcept = default;

Result<MultipartForm> MultipartForm::begin(std::string_view content_type,
                                           const MultipartLimits& limits) {
  auto boundary = MultipartParser::boundary_of(content_type);
  if (!boundary) return std::unexpected(boundary.error());
  return MultipartForm(std::make_unique<Impl>(*boundary, limits));
}

Result<MultipartForm> MultipartForm::parse(const Request& request, const MultipartLimits& limits) {
  auto form = begin(request.header("content-type"), limits);
  if (!form) return form;
  if (auto fed = form->feed(request.body()); !fed) return std::unexpected(fed.error());
  if (auto finished = form->finish(); !finished) return std::unexpected(finished.error());
  return form;
}

Result<void> MultipartForm::feed(std::string_view bytes) { return impl_->parser.feed(bytes); }
Result<void> MultipartForm::finish() { return impl_->parser.finish(); }

std::span<const Form::Field> MultipartForm::fields() const noexcept { return impl_->fields; }
std::span<const UploadedFile> MultipartForm::files() const noexcept { return impl_->files; }

std::optional<std::string_view> MultipartForm::get(std::string_view name) const noexcept {
  for (const Form::Field& field : impl_->fields) {
    if (field.name == name) return field.value;
  }
  return std::nullopt;
}

const UploadedFile* MultipartForm::file(std::string_view field) const noexcept {
  for (const UploadedFile& file : impl_->files) {
    if (file.field == field) return &file;
  }
  return nullptr;
}

}  // namespace pronghorn
