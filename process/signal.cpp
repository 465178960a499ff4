// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/process/signal.h>

#include <array>
#include <cctype>
#include <charconv>

namespace pronghorn::process {
namespace {

struct Named {
  const char* name;
  int number;
};

// Node's os.constants.signals; of two names for one number the first is told.
constexpr std::array kNames{
    Named{"SIGHUP", SIGHUP},   Named{"SIGINT", SIGINT},     Named{"SIGQUIT", SIGQUIT},
    Named{"SIGILL", SIGILL},   Named{"SIGTRAP", SIGTRAP},   Named{"SIGABRT", SIGABRT},
    Named{"SIGIOT", SIGIOT},   Named{"SIGBUS", SIGBUS},     Named{"SIGFPE", SIGFPE},
    Named{"SIGKILL", SIGKILL}, Named{"SIGUSR1", SIGUSR1},   Named{"SIGSEGV", SIGSEGV},
    Named{"SIGUSR2", SIGUSR2}, Named{"SIGPIPE", SIGPIPE},   Named{"SIGALRM", SIGALRM},
    Named{"SIGTERM", SIGTERM}, Named{"SIGCHLD", SIGCHLD},   Named{"SIGSTKFLT", SIGSTKFLT},
    Named{"SIGCONT", SIGCONT}, Named{"SIGSTOP", SIGSTOP},   Named{"SIGTSTP", SIGTSTP},
    Named{"SIGTTIN", SIGTTIN}, Named{"SIGTTOU", SIGTTOU},   Named{"SIGURG", SIGURG},
    Named{"SIGXCPU", SIGXCPU}, Named{"SIGXFSZ", SIGXFSZ},   Named{"SIGVTALRM", SIGVTALRM},
    Named{"SIGPROF", SIGPROF}, Named{"SIGWINCH", SIGWINCH}, Named{"SIGIO", SIGIO},
    Named{"SIGPOLL", SIGPOLL}, Named{"SIGPWR", SIGPWR},     Named{"SIGSYS", SIGSYS}};

bool is_realtime(int number) { return number >= SIGRTMIN && number <= SIGRTMAX; }

// "SIGRTMIN", "SIGRTMIN+3", "SIGRTMAX-2", as kill(1) has them. @returns -1 for anything else
int realtime_number(std::string_view name) {
  bool from_min = name.starts_with("SIGRTMIN");
  if (!from_min && !name.starts_with("SIGRTMAX")) return -1;
  int base = from_min ? SIGRTMIN : SIGRTMAX;
  name.remove_prefix(8);
  if (name.empty()) return base;
  if (name[0] != (from_min ? '+' : '-')) return -1;
  unsigned char offset = 0;
  auto [end, error] = std::from_chars(name.data() + 1, name.data() + name.size(), offset);
  if (error != std::errc{} || end != name.data() + name.size()) return -1;
  int number = from_min ? base + offset : base - offset;
  return is_realtime(number) ? number : -1;
}

int number_of(std::string name) {
  for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  for (const Named& each : kNames)
    if (name == each.name) return each.number;
  return realtime_number(name);
}

bool has_name(int number) {
  for (const Named& each : kNames)
    if (each.number == number) return true;
  return is_realtime(number);  // libc keeps the two below for itself
}

}  // namespace

Signal::Signal(int number)
    : number_(number == 0 || has_name(number) ? number : -1), text_(std::to_string(number)) {}
Signal::Signal(const char* name) : Signal(std::string(name == nullptr ? "" : name)) {}
Signal::Signal(const std::string& name) : number_(number_of(name)), text_(name) {}

std::string signal_name(int number) {
  for (const Named& each : kNames)
    if (each.number == number) return each.name;
  if (!is_realtime(number)) return std::to_string(number);
  return number == SIGRTMIN ? "SIGRTMIN" : "SIGRTMIN+" + std::to_string(number - SIGRTMIN);
}

}  // namespace pronghorn::process
