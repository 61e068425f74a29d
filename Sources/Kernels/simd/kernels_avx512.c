#pragma clang fp contract(off)
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "../winograd.h"

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))), apply_to = function)
#define KAPTION_TILES_8_3
#include "vector_avx512.h"

#include "activation.h"
#include "product.h"
enum { GEMM_ROWS = 24, GEMM_FEW_ROWS = 8 };
#include "gemm.h"
#include "convolution.h"
#include "depthwise.h"
#include "pointwise.h"
#include "winograd.h"
#pragma clang attribute pop

#define KAPTION_TABLE kaption_table_avx512
#include "table.h"
#endif
