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
// A tile of 12 rows by one vector would load more inputs than AVX2's multiply-adds hide: what would go as gemm.h has it goes as any product.
#define gathered_packed_floats product_packed_floats
#define gathered_pack product_pack
#define gathered_product matrix_product
#define run_gathered run_product
#include "convolution.h"
#include "depthwise.h"
#include "pointwise.h"
#include "winograd.h"
#pragma clang attribute pop

#define KAPTION_TABLE kaption_table_avx2
#include "table.h"
#endif
