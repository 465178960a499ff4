# SPDX-License-Identifier: Apache-2.0
# cmake -DINPUT=/etc/mime.types -DOUTPUT=mime_table.inc -P MimeTable.cmake
# Makes the sorted table {extension, content type} that server/mime.cpp includes. Where several types claim
# an extension the first one in the file wins, as with Apache and mailcap.
#
# charset=utf-8 goes to text/* only: JSON is UTF-8 by definition and has no such parameter (RFC 8259 §11),
# and XML and SVG say their encoding themselves, which a parameter would overrule (RFC 7303 §3).
file(STRINGS ${INPUT} lines REGEX "^[a-zA-Z]+/[^ \t]+[ \t]+[^ \t#]")
set(entries "")
foreach(line IN LISTS lines)
  string(REGEX REPLACE "#.*$" "" line "${line}")
  string(REGEX MATCHALL "[^ \t]+" words "${line}")
  list(POP_FRONT words type)
  if(type MATCHES "^text/")
    string(APPEND type "; charset=utf-8")
  endif()
  string(REPLACE ";" "@" type "${type}")  # a semicolon would split CMake's list
  foreach(extension IN LISTS words)
    string(TOLOWER "${extension}" extension)
    # svgz is served with Content-Encoding or not at all as SVG: without it, it is just bytes.
    if(extension MATCHES "^[a-z0-9_+-]+$" AND NOT extension STREQUAL "svgz" AND NOT DEFINED seen_${extension})
      set(seen_${extension} 1)
      # A space sorts before every byte of an extension, so "c" stays before "c++".
      list(APPEND entries "${extension} ${type}")
    endif()
  endforeach()
endforeach()
list(LENGTH entries count)
if(count LESS 500)
  message(FATAL_ERROR "${INPUT} has ${count} extensions: is Debian's package media-types installed?")
endif()
list(SORT entries COMPARE STRING)
set(text "// Made from ${INPUT} by cmake/MimeTable.cmake.\n")
foreach(entry IN LISTS entries)
  string(REGEX REPLACE "^([^ ]+) (.*)$" "{\"\\1\", \"\\2\"},\n" row "${entry}")
  string(REPLACE "@" ";" row "${row}")
  string(APPEND text "${row}")
endforeach()
file(WRITE ${OUTPUT} "${text}")
