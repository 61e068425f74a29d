#pragma clang fp contract(off)
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "../winograd.h"

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include "vector_avx2.h"

#include "activation.h"
#include "product.h"
enum { GEMM_ROWS = 12, GEMM_FEW_ROWS = 4 };
#include "gemm.h"
#include "convolution.h"
#include "depthwise.h"
#include "pointwise.h"
#include "winograd.h"
#pragma clang attribute pop

#define KAPTION_TABLE kaption_table_avx2
#include "table.h"
#endif
