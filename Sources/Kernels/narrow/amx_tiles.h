// Tiles of AMX as the products and the peak use them: 0 to 3 are sums, 4 and 5 rows of the left operand, 6 and 7 weights. A block is at most 2×2 tiles.

enum { TILE = 16, COLUMNS = 2 * TILE };

// `chunk`: dwords of k that a tile takes; rows of the first tile, and of the second if there is one.
static void configure_tiles(size_t chunk, size_t first_rows, size_t second_rows) {
    struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } settings = {.palette = 1};
    for (size_t i = 0; i < 8; i++) settings.row_bytes[i] = 64;
    settings.row_bytes[4] = settings.row_bytes[5] = (uint16_t)(4 * chunk);
    settings.rows[0] = settings.rows[1] = settings.rows[4] = (uint8_t)first_rows;
    settings.rows[2] = settings.rows[3] = settings.rows[5] = (uint8_t)(second_rows > 0 ? second_rows : 1);
    settings.rows[6] = settings.rows[7] = (uint8_t)chunk;
    _tile_loadconfig(&settings);
}

// Where they stand, `is_integer` says which numbers are multiplied.
#define AMX_MULTIPLY(sum, rows, weights)                       \
    do {                                                       \
        if (is_integer) _tile_dpbusd(sum, rows, weights);      \
        else _tile_dpbf16ps(sum, rows, weights);               \
    } while (0)
#define AMX_START(sum, from)                                   \
    do {                                                       \
        if (is_integer) _tile_loadd(sum, from, 0);             \
        else _tile_zero(sum);                                  \
    } while (0)
