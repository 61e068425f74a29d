// The packed product of a decoder: C[m×n] = A[m×k] · Wᵀ for few rows and weights that come from the last-level cache or from memory
// each time. W lies in panels of one vector of columns; within a panel the columns of one k are adjacent.
//
// A register tile is many rows by one vector, so that each weight is loaded once and used for all rows; their inputs lie side by side,
// copied so for a block of k. A few rows would leave registers and the fused multiply-add's latency unused: they take up to three panels
// at once. Each sum runs through k in order, so its bits do not depend on the tiling; sums wait in C between blocks of k.

enum {
    GEMM_PANELS = 3,       // that few rows take at once
    GEMM_BLOCK_K = 512,
    GEMM_BLOCK_TILES = 2,  // tiles of rows that share a block's panel
    GEMM_AHEAD = 2048      // floats from the weights in use to those to fetch
};

static size_t gemm_packed_floats(size_t n, size_t k) { return kaption_round_up((n + LANES - 1) / LANES * LANES * k); }

static void gemm_pack(size_t n, size_t k, const float *w, size_t ldw, float *packed) {
    for (size_t j = 0; j < n; j += LANES)
        for (size_t p = 0; p < k; p++)
            for (size_t l = 0; l < LANES; l++) *packed++ = j + l < n ? w[(j + l) * ldw + p] : 0.0f;
}

typedef struct {
    const float *a;   // [count][rows]
    const float *w;   // the first panel's block of k
    size_t panel;     // floats from one panel to the next
    size_t count;     // of k
    size_t near;      // of these, as many fetch what is `ahead` floats on, the others what is `beyond`
    size_t ahead, beyond;
    float *c;
    size_t ldc;
    lane_mask mask;   // of the last panel's columns
    int accumulate;   // start from what is in C
    const float *bias;  // or NULL
} gemm_tile;

INLINE void run_gemm_tile(const gemm_tile *tile, const int rows, const int panels) {
    const int last = panels - 1;
    const float *a = tile->a, *w = tile->w;
    vector sums[GEMM_ROWS][GEMM_PANELS];
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
        for (int v = 0; v < panels; v++) {
            const float *c = tile->c + (size_t)i * tile->ldc + v * LANES;
            sums[i][v] = !tile->accumulate ? zero() : v == last ? load_first(tile->mask, c) : load(c);
        }
    for (int part = 0; part < 2; part++) {
        const size_t count = part == 0 ? tile->near : tile->count - tile->near;
        const size_t ahead = part == 0 ? tile->ahead : tile->beyond;
#pragma clang loop unroll(disable)
        for (size_t p = 0; p < count; p++, a += rows, w += LANES) {
            vector weights[GEMM_PANELS];
#pragma clang loop unroll(full)
            for (int v = 0; v < panels; v++) {
                weights[v] = load(w + (size_t)v * tile->panel);
                if (ahead != 0) __builtin_prefetch(w + (size_t)v * tile->panel + ahead);
            }
#pragma clang loop unroll(full)
            for (int i = 0; i < rows; i++) {
                const vector x = repeated(a[i]);
#pragma clang loop unroll(full)
                for (int v = 0; v < panels; v++) sums[i][v] = multiply_add(x, weights[v], sums[i][v]);
            }
        }
    }
#pragma clang loop unroll(full)
    for (int v = 0; v < panels; v++) {
        const float *bias = tile->bias + v * LANES;
        const vector shift = tile->bias == NULL ? zero() : v == last ? load_first(tile->mask, bias) : load(bias);
#pragma clang loop unroll(full)
        for (int i = 0; i < rows; i++) {
            float *c = tile->c + (size_t)i * tile->ldc + v * LANES;
            const vector sum = tile->bias == NULL ? sums[i][v] : add(sums[i][v], shift);
            if (v == last) store_first(tile->mask, c, sum);
            else store(c, sum);
        }
    }
}

#define GEMM_TILE(rows, panels) \
    static void gemm_##rows##_##panels(const gemm_tile *tile) { run_gemm_tile(tile, rows, panels); }
#define GEMM_FEW(panels) GEMM_TILE(1, panels) GEMM_TILE(2, panels) GEMM_TILE(3, panels) GEMM_TILE(4, panels)
GEMM_FEW(1) GEMM_FEW(2) GEMM_FEW(3)
#define GEMM_MORE(panels) GEMM_TILE(5, panels) GEMM_TILE(6, panels) GEMM_TILE(7, panels) GEMM_TILE(8, panels)
GEMM_MORE(1) GEMM_MORE(2) GEMM_MORE(3)
GEMM_TILE(9, 1) GEMM_TILE(10, 1) GEMM_TILE(11, 1) GEMM_TILE(12, 1) GEMM_TILE(13, 1) GEMM_TILE(14, 1) GEMM_TILE(15, 1) GEMM_TILE(16, 1)
GEMM_TILE(17, 1) GEMM_TILE(18, 1) GEMM_TILE(19, 1) GEMM_TILE(20, 1) GEMM_TILE(21, 1) GEMM_TILE(22, 1) GEMM_TILE(23, 1) GEMM_TILE(24, 1)
#define GEMM_NAMES(panels) \
    {gemm_1_##panels, gemm_2_##panels, gemm_3_##panels, gemm_4_##panels, gemm_5_##panels, gemm_6_##panels, gemm_7_##panels, gemm_8_##panels}
static void (*const gemm_many[GEMM_ROWS - GEMM_FEW_ROWS])(const gemm_tile *) = {
    gemm_9_1, gemm_10_1, gemm_11_1, gemm_12_1, gemm_13_1, gemm_14_1, gemm_15_1, gemm_16_1,
    gemm_17_1, gemm_18_1, gemm_19_1, gemm_20_1, gemm_21_1, gemm_22_1, gemm_23_1, gemm_24_1};
static void (*const gemm_few[GEMM_PANELS][GEMM_FEW_ROWS])(const gemm_tile *) = {GEMM_NAMES(1), GEMM_NAMES(2), GEMM_NAMES(3)};

// Rows of A, `count` columns of each, side by side.
static void gather_rows(size_t rows, size_t count, const float *a, size_t lda, float *to) {
    size_t i = 0;
    for (; i + 4 <= rows && count >= 4; i += 4, a += 4 * lda)
        for (size_t p = 0; p < count;) {
            __m128 x = _mm_loadu_ps(a + p), y = _mm_loadu_ps(a + lda + p), z = _mm_loadu_ps(a + 2 * lda + p), w = _mm_loadu_ps(a + 3 * lda + p);
            _MM_TRANSPOSE4_PS(x, y, z, w);
            float *column = to + p * rows + i;
            _mm_storeu_ps(column, x);
            _mm_storeu_ps(column + rows, y);
            _mm_storeu_ps(column + 2 * rows, z);
            _mm_storeu_ps(column + 3 * rows, w);
            // The last four overlap those before them.
            p = p + 4 == count || p + 8 <= count ? p + 4 : count - 4;
        }
    for (; i < rows; i++, a += lda)
        for (size_t p = 0; p < count; p++) to[p * rows + i] = a[p];
}

static void gemm(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *packed, const float *bias,
                 int accumulate, float *c, size_t ldc) {
    float gathered[GEMM_BLOCK_TILES][GEMM_ROWS * GEMM_BLOCK_K] __attribute__((aligned(64)));
    const size_t tiles = (m + GEMM_ROWS - 1) / GEMM_ROWS;
    const row_tiles cut = {tiles, m / tiles, m % tiles};
    for (size_t begin = 0; begin < tiles; begin += GEMM_BLOCK_TILES) {
        const size_t end = at_most(begin + GEMM_BLOCK_TILES, tiles);
        for (size_t depth = 0; depth < k; depth += GEMM_BLOCK_K) {
            const size_t count = at_most(GEMM_BLOCK_K, k - depth);
            for (size_t i = begin; i < end; i++)
                gather_rows(row_count(&cut, i), count, a + first_row(&cut, i) * lda + depth, lda, gathered[i - begin]);
            const int few = end - begin == 1 && row_count(&cut, begin) <= GEMM_FEW_ROWS;
            for (size_t j = 0; j < n;) {
                const size_t left = (n - j + LANES - 1) / LANES, panels = few ? at_most(left, GEMM_PANELS) : 1;
                const size_t ahead = GEMM_AHEAD / panels, near = at_most(ahead / LANES, count);
                gemm_tile tile = {
                    .w = packed + j * k + depth * LANES, .panel = k * LANES, .count = count, .near = count - near,
                    .mask = first_lanes(n - j - (panels - 1) * LANES), .accumulate = accumulate || depth > 0,
                    .bias = bias == NULL || depth + count < k ? NULL : bias + j, .ldc = ldc,
                };
                for (size_t i = begin; i < end; i++) {
                    const size_t rows = row_count(&cut, i);
                    tile.a = gathered[i - begin];
                    tile.c = c + first_row(&cut, i) * ldc + j;
                    // The first tile fetches: at the end of its panels, from those that come next.
                    tile.ahead = i == begin ? near * LANES : 0;
                    tile.beyond = i == begin ? panels * k * LANES - (count - near) * LANES : 0;
                    if (rows <= GEMM_FEW_ROWS) gemm_few[panels - 1][rows - 1](&tile);
                    else gemm_many[rows - GEMM_FEW_ROWS - 1](&tile);
                }
                j += panels * LANES;
            }
        }
    }
}
