// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/process/signal.h>

#include <doctest/doctest.h>

using pronghorn::process::Signal;
using pronghorn::process::signal_name;

TEST_CASE("signal: every name gives its number, and every number its name") {
  for (int number = 1; number <= 64; ++number) {
    CAPTURE(number);
    bool is_libcs_own = number > 31 && number < SIGRTMIN;
    std::string name = signal_name(number);
    CHECK(Signal(number).is_known() == !is_libcs_own);
    CHECK(Signal(name).is_known() == !is_libcs_own);
    if (is_libcs_own) {
      CHECK(name == std::to_string(number));
    } else {
      CHECK(Signal(name).number() == number);
    }
  }
  CHECK(signal_name(15) == "SIGTERM");
  CHECK(signal_name(9) == "SIGKILL");
  CHECK(signal_name(6) == "SIGABRT");
  CHECK(signal_name(29) == "SIGIO");
  CHECK(signal_name(0) == "0");
  CHECK(signal_name(-1) == "-1");
  CHECK(signal_name(65) == "65");
}

TEST_CASE("signal: names in any case, with Node's second names") {
  CHECK(Signal("sigterm").number() == SIGTERM);
  CHECK(Signal("SigUsr1").number() == SIGUSR1);
  CHECK(Signal(std::string("SIGIOT")).number() == SIGABRT);
  CHECK(Signal("SIGPOLL").number() == SIGIO);
}

TEST_CASE("signal: the real-time ones as kill(1) names them") {
  CHECK(Signal("SIGRTMIN").number() == SIGRTMIN);
  CHECK(Signal("sigrtmin+3").number() == SIGRTMIN + 3);
  CHECK(Signal("SIGRTMAX").number() == SIGRTMAX);
  CHECK(Signal("SIGRTMAX-2").number() == SIGRTMAX - 2);
  CHECK(signal_name(SIGRTMIN) == "SIGRTMIN");
  CHECK(signal_name(SIGRTMIN + 1) == "SIGRTMIN+1");
  for (const char* name : {"SIGRTMIN-1", "SIGRTMAX+1", "SIGRTMIN+99", "SIGRTMIN+", "SIGRTMIN+1x",
                           "SIGRTMIN+-1", "SIGRTMAX-256"}) {
    CAPTURE(name);
    CHECK_FALSE(Signal(name).is_known());
  }
}

TEST_CASE("signal: what names none is not known, and keeps its text for the error") {
  for (const char* name : {"", "TERM", "SIGFOO", "SIGTERM ", "15", "SIG"}) {
    CAPTURE(name);
    CHECK_FALSE(Signal(name).is_known());
    CHECK(Signal(name).text() == name);
  }
  CHECK_FALSE(Signal(static_cast<const char*>(nullptr)).is_known());
  for (int number : {-1, 32, 65, 1000}) {
    CAPTURE(number);
    CHECK_FALSE(Signal(number).is_known());
    CHECK(Signal(number).text() == std::to_string(number));
  }
  CHECK(Signal(0).is_known());
  CHECK(Signal(0).number() == 0);
  CHECK(Signal(SIGTERM).text() == "15");
}
