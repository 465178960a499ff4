// SPDX-License-Identifier: Apache-2.0
// What middleware and handlers keep with a request for each other, one value of a type.
#pragma once

#include <memory>
#include <typeinfo>
#include <utility>

namespace pronghorn {

/// Values by their type: give what you keep a type of its own (`struct User`, not std::string).
/// Costs nothing until something is set, and one allocation for each value. Only from the loop's
/// thread.
class Locals {
 public:
  Locals() = default;
  Locals(const Locals&) = delete;
  Locals& operator=(const Locals&) = delete;
  ~Locals() { clear(); }

  /// Keeps `value`, in place of another of its type, which ends. @returns it, where it stays until
  /// it is replaced or the request ends
  template <class T>
  T& set(T value) {
    auto made = std::make_unique<Kept<T>>(std::move(value));
    T& kept = made->value;
    put(std::move(made));
    return kept;
  }
  /// Null: there is none of that type.
  template <class T>
  T* get() const noexcept {
    Node* node = find(typeid(T));
    return node == nullptr ? nullptr : &static_cast<Kept<T>*>(node)->value;
  }

 private:
  friend struct RequestBuilder;
  struct Node {
    explicit Node(const std::type_info& t) noexcept : type(t) {}
    virtual ~Node();
    const std::type_info& type;
    std::unique_ptr<Node> next;
  };
  template <class T>
  struct Kept final : Node {
    explicit Kept(T&& v) : Node(typeid(T)), value(std::move(v)) {}
    T value;
  };

  void put(std::unique_ptr<Node> node);
  Node* find(const std::type_info& type) const noexcept;
  /// What was set last ends first.
  void clear() noexcept {
    if (first_) end_all();
  }
  void end_all() noexcept;

  std::unique_ptr<Node> first_;
};

}  // namespace pronghorn
