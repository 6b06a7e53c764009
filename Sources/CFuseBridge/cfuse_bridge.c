#include "cfuse_bridge.h"
