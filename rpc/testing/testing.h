// weir/testing: what the tests of a program need that makes or serves calls. Uses GoogleTest and GoogleMock.
#pragma once

#include "weir/testing/script.h"
#include "weir/testing/status_matchers.h"
#include "weir/testing/test_server.h"
