// SPDX-License-Identifier: Apache-2.0
// A form with files: what came is said back, and files are kept in the folder that $UPLOADS names
// (without it they go when the answer is given).
#include <pronghorn/http.h>

#include <cstdlib>
#include <string>

int main(int argc, char** argv) {
  pronghorn::App app(argc, argv);

  app.get("/", [](const pronghorn::Request&) {
    return pronghorn::Response::html(
        "<!doctype html><title>upload</title><form method=post enctype=multipart/form-data>"
        "<input name=title> <input type=file name=files multiple> <button>send</button></form>");
  });

  app.post("/", {.body_limit = 64 << 20},
           [&app](const pronghorn::Request& q) -> pronghorn::Task<pronghorn::Response> {
             auto form = pronghorn::MultipartForm::parse(q);
             if (!form) co_return pronghorn::error_response(form.error());
             std::string said =
                 "title " + std::string(form->get("title").value_or("(none)")) + "\n";
             for (const pronghorn::UploadedFile& file : form->files()) {
               said += file.name + " " + std::to_string(file.size) + "\n";
               const char* folder = std::getenv("UPLOADS");
               if (folder == nullptr) continue;
               // It blocks, so another thread does it.
               auto save = [&file, path = std::string(folder) + "/" + file.name] {
                 return file.save(path);
               };
               auto saved = co_await pronghorn::offload(app.loop(), save);
               if (!saved) {
                 co_return pronghorn::Response::text(saved.error().message() + "\n").status(409);
               }
             }
             co_return pronghorn::Response::text(said);
           });
  return app.run();
}
