// The entropy decoder of sequential Huffman JPEGs in one scan, in place of libjpeg's own, which takes three quarters of its time
// for a photograph. libjpeg keeps all else: headers, the checks of tables, restart markers, transforms and colours.
//
// libjpeg is made of modules that begin with a public head; this one has the head of `struct jpeg_entropy_decoder`
// (jpegint.h, which Debian ships with jpeglib.h), as libjpeg's own two have. That head is another one from libjpeg-turbo 3 on.
#ifndef KAPTION_CJPEG_ENTROPY_H
#define KAPTION_CJPEG_ENTROPY_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jpeglib.h>

#if __has_include(<jpegint.h>) && LIBJPEG_TURBO_VERSION_NUMBER < 3000000 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define KAPTION_JPEG_HAS_ENTROPY 1
#include <jpegint.h>

enum {
    // Bits that one look-up takes in: nine of ten codes of a photograph fit with their values.
    ENTROPY_LOOKAHEAD = 10,
    // Bytes that one minimum coded unit may take (64 times 16 + 15 bits a block), 7 that had been loaded ahead, the 8 of its last load, and some more.
    ENTROPY_UNIT = D_MAX_BLOCKS_IN_MCU * 248 + 32,
    // Bytes of the file that are kept at hand.
    ENTROPY_WINDOW = 16384,
};

// One Huffman table (ITU-T T.81, F.2.2.3), for codes and the bits of the values that follow them.
struct entropy_table {
    // By the next ENTROPY_LOOKAHEAD bits, in 16, 8 and 8 bits from above:
    //   value, run, length   a value, the zeros before it, the bits of code and value together
    //   0, symbol, length    a code that has no value, or whose value goes beyond these bits; the bits of the code
    //   0, 0, 0              a longer code, or none
    uint32_t entries[1 << ENTROPY_LOOKAHEAD];
    // Of the codes of each length: what is greater than the last one, moved up to 16 bits, and what leads from a code to the
    // place of its symbol.
    uint32_t ends[17];
    int32_t offsets[17];
    uint8_t symbols[256];
};

struct entropy_decoder {
    // The module's head: libjpeg sees nothing more.
    struct jpeg_entropy_decoder head;

    // Bytes of the file; from `next` to `end` those whose bits have not been taken yet, behind them zeros. `next` is beyond `end`
    // when made up bits were loaded ahead.
    uint8_t window[ENTROPY_WINDOW + ENTROPY_UNIT];
    ptrdiff_t next, end;
    // A marker, or the end of the file, follows.
    int is_last;
    // Bits taken from them, the next one on top, at least `count` of them.
    uint64_t bits;
    int count;

    unsigned restarts_to_go;
    int16_t last_dc[MAX_COMPS_IN_SCAN];
    // By the block in a minimum coded unit.
    struct {
        const struct entropy_table *dc, *ac;
        int component;
    } blocks[D_MAX_BLOCKS_IN_MCU];
    struct entropy_table dc[NUM_HUFF_TBLS], ac[NUM_HUFF_TBLS];
};

// Takes libjpeg's place where it can: between jpeg_start_decompress and the first row. `decoder` must stay until the picture's end.
void entropy_take_over(struct entropy_decoder *decoder, j_decompress_ptr info);

#else

struct entropy_decoder {
    int unused;
};

static inline void entropy_take_over(struct entropy_decoder *decoder, j_decompress_ptr info) { (void)decoder, (void)info; }

#endif
#endif
