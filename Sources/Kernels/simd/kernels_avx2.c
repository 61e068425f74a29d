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
#include "convolution.h"
#include "depthwise.h"
#include "pointwise.h"
#include "winograd.h"
#pragma clang attribute pop

#define KAPTION_TABLE kaption_table_avx2
// A tile of 12 rows by one vector would load more inputs than AVX2's multiply-adds hide: a decoder's products go as a convolution's.
#define KAPTION_GEMM(name) product_##name
#define KAPTION_GEMM_RUN matrix_product
#include "table.h"
#endif
