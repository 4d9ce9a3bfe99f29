// The same assertions under the rules of C++.
#include "../../plugin-api/abi/offsets.c"
