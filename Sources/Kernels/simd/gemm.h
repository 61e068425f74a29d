// The product of gathered rows: C[m×n] = A[m×k] · Wᵀ for weights that come from a far cache or from memory each time, as a decoder's,
// those of a network's last layers and of Winograd's points. W lies in panels of one vector of columns; within a panel the columns of
// one k are adjacent.
//
// A register tile is many rows by one vector, so that each weight is loaded once and used for all rows; their inputs lie side by side,
// copied so for a block of k. A few rows would leave registers and the fused multiply-add's latency unused: they take up to three panels
// at once. Each sum runs through k in order, so its bits do not depend on the tiling; sums wait in C between blocks of k.

enum {
    GEMM_PANELS = 3,       // that few rows take at once
    GEMM_BLOCK_K = 512,    // at least KAPTION_SUM_IN_PLACE: sums wait in C between blocks
    GEMM_BLOCK_TILES = 3,  // tiles of rows that share a block's panel
    GEMM_AHEAD = 2048,     // floats from the weights in use to those to fetch
    GEMM_PAIR = 2          // neighbouring inputs of a row that stay together when rows are gathered
};

static size_t gathered_packed_floats(size_t n, size_t k) { return kaption_round_up((n + LANES - 1) / LANES * LANES * k); }

static void gathered_pack(size_t n, size_t k, const float *w, size_t ldw, float *packed) {
    for (size_t j = 0; j < n; j += LANES)
        for (size_t p = 0; p < k; p++)
            for (size_t l = 0; l < LANES; l++) *packed++ = j + l < n ? w[(j + l) * ldw + p] : 0.0f;
}

typedef struct {
    const float *a;   // [count / GEMM_PAIR, rounded up][rows][GEMM_PAIR]
    const float *w;   // the first panel's block of k
    size_t panel;     // floats from one panel to the next
    size_t count;     // of k
    size_t near;      // of these, as many fetch what is `ahead` floats on, the others what is `beyond`; a multiple of GEMM_PAIR
    size_t ahead, beyond;
    product_tile tail;  // C and what is done to it; `mask` is of the last panel's columns
} gemm_tile;

INLINE void add_products(vector sums[GEMM_ROWS][GEMM_PANELS], const float *a, const float *w, size_t panel, size_t ahead,
                         const int rows, const int panels) {
    vector weights[GEMM_PANELS];
#pragma clang loop unroll(full)
    for (int v = 0; v < panels; v++) {
        weights[v] = load(w + (size_t)v * panel);
        if (ahead != 0) __builtin_prefetch(w + (size_t)v * panel + ahead, 0, 2);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
        const vector x = repeated(a[i * GEMM_PAIR]);
#pragma clang loop unroll(full)
        for (int v = 0; v < panels; v++) sums[i][v] = multiply_add(x, weights[v], sums[i][v]);
    }
}

INLINE void run_gemm_tile(const gemm_tile *tile, const int rows, const int panels) {
    const float *a = tile->a, *w = tile->w;
    vector sums[GEMM_ROWS][GEMM_PANELS];
    begin_sums(&tile->tail, rows, panels, GEMM_PANELS, sums[0]);
    for (int part = 0; part < 2; part++) {
        const size_t count = part == 0 ? tile->near : tile->count - tile->near;
        const size_t ahead = part == 0 ? tile->ahead : tile->beyond;
#pragma clang loop unroll(disable)
        for (size_t p = 0; p + GEMM_PAIR <= count; p += GEMM_PAIR, a += GEMM_PAIR * rows)
#pragma clang loop unroll(full)
            for (int q = 0; q < GEMM_PAIR; q++, w += LANES) add_products(sums, a + q, w, tile->panel, ahead, rows, panels);
    }
#pragma clang loop unroll(disable)
    for (size_t q = 0; q < tile->count % GEMM_PAIR; q++, a++, w += LANES) add_products(sums, a, w, tile->panel, 0, rows, panels);
    end_sums(&tile->tail, rows, panels, GEMM_PANELS, sums[0]);
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

// Copies `count` inputs of one row to its place in a tile, the first of them as k = `at` of the block.
INLINE void gather_piece(const float *from, size_t count, size_t at, size_t rows, float *to) {
    size_t p = 0;
    if (at % GEMM_PAIR == 0) {
#pragma clang loop unroll_count(4)
        for (; p + 4 <= count; p += 4) {
            const __m128 x = _mm_loadu_ps(from + p);
            _mm_storel_pi((__m64 *)(to + (at + p) * rows), x);
            _mm_storeh_pi((__m64 *)(to + (at + p + 2) * rows), x);
        }
    }
    for (; p < count; p++) to[(at + p) / GEMM_PAIR * GEMM_PAIR * rows + (at + p) % GEMM_PAIR] = from[p];
}

// Gathers k depth..<depth + count of `rows` rows from `first` on, tap by tap where they are pixels of a convolution.
static void gather_rows(const product *p, size_t first, size_t rows, size_t depth, size_t count, float *to) {
    for (size_t i = 0; i < rows; i++, to += GEMM_PAIR) {
        if (p->layer == NULL) {
            gather_piece(p->a + (first + i) * p->lda + depth, count, 0, rows, to);
            continue;
        }
        const window_places place = window_places_of_product(p, first + i, 1);
        const size_t across = p->layer->window.kernel_width;
        size_t channel = depth % p->channels;
        for (size_t at = 0, tap = depth / p->channels; at < count; tap++) {
            const size_t piece = at_most(p->channels - channel, count - at);
            const float *pixel = (const float *)window_tap(p->layer, &place, tap / across, tap % across, 0);
            gather_piece(pixel + channel, piece, at, rows, to);
            at += piece;
            channel = 0;
        }
    }
}

static void run_gathered(const product *p) {
    float gathered[GEMM_BLOCK_TILES][GEMM_ROWS * GEMM_BLOCK_K] __attribute__((aligned(64)));
    const size_t tiles = (p->m + GEMM_ROWS - 1) / GEMM_ROWS, k = p->taps * p->channels;
    const row_tiles cut = {tiles, p->m / tiles, p->m % tiles};
    for (size_t begin = 0; begin < tiles; begin += GEMM_BLOCK_TILES) {
        const size_t end = at_most(begin + GEMM_BLOCK_TILES, tiles);
        for (size_t depth = 0; depth < k; depth += GEMM_BLOCK_K) {
            const size_t count = at_most(GEMM_BLOCK_K, k - depth);
            for (size_t i = begin; i < end; i++)
                gather_rows(p, first_row(&cut, i), row_count(&cut, i), depth, count, gathered[i - begin]);
            const int few = end - begin == 1 && row_count(&cut, begin) <= GEMM_FEW_ROWS;
            for (size_t j = 0; j < p->n;) {
                const size_t left = (p->n - j + LANES - 1) / LANES, panels = few ? at_most(left, GEMM_PANELS) : 1;
                const size_t reach = at_most(GEMM_AHEAD / panels / LANES, count) / GEMM_PAIR * GEMM_PAIR;
                gemm_tile tile = {
                    .w = p->packed + j * k + depth * LANES, .panel = k * LANES, .count = count,
                    .near = (count - reach) / GEMM_PAIR * GEMM_PAIR, .tail = p->tile,
                };
                tile.tail.mask = first_lanes(p->n - j - (panels - 1) * LANES);
                tile.tail.accumulate = p->tile.accumulate || depth > 0;
                tile.tail.is_last = depth + count == k;
                tile.tail.bias = p->tile.bias == NULL ? NULL : p->tile.bias + j;
                for (size_t i = begin; i < end; i++) {
                    const size_t rows = row_count(&cut, i), row = first_row(&cut, i);
                    tile.a = gathered[i - begin];
                    tile.tail.c = p->tile.c + row * p->tile.ldc + j;
                    tile.tail.residual = p->tile.residual == NULL ? NULL : p->tile.residual + row * p->tile.residual_stride + j;
                    // The first tile fetches: at the end of its panels, from those that come next.
                    tile.ahead = i == begin ? reach * LANES : 0;
                    tile.beyond = i == begin ? panels * k * LANES - (count - reach) * LANES : 0;
                    if (rows <= GEMM_FEW_ROWS) gemm_few[panels - 1][rows - 1](&tile);
                    else gemm_many[rows - GEMM_FEW_ROWS - 1](&tile);
                    if (tile.tail.is_last && !is_clip(p->tile.activation))
                        activate_rows(p->tile.activation, tile.tail.c, rows, at_most(p->n - j, panels * LANES), p->tile.ldc);
                }
                j += panels * LANES;
            }
        }
    }
}

static void gathered_product(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *packed, const float *bias,
                             int accumulate, float *c, size_t ldc) {
    const product p = matrix(m, n, k, a, lda, packed, bias, accumulate, c, ldc);
    run_gathered(&p);
}
