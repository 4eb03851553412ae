// The API's description, generated from its routes.
#pragma once

#include "api/router.hpp"

namespace oc::api {

// An OpenAPI 3.0 document. Each operation says in "x-role" who may call it.
Json openapi_document(const Router& router, const std::string& version);

}  // namespace oc::api
