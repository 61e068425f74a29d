// libpng behind calls that return: its errors, which it reports by longjmp, never leave this target.
//
// A wrong checksum in any chunk, needed or not, is an error. Of the chunks beside the picture only transparency and EXIF
// are read: gamma and colour profiles do not change a pixel here.
#ifndef KAPTION_CPNG_H
#define KAPTION_CPNG_H

#include <stddef.h>
#include <stdint.h>

typedef enum {
    KAPTION_PNG_OK = 0,
    KAPTION_PNG_CORRUPT,
    KAPTION_PNG_TIMEOUT,
    KAPTION_PNG_NO_MEMORY,
} kaption_png_status;

// ---- Decoding ---------------------------------------------------------------------------------------------------
// One decoder serves image after image: open, then read_rows until the last row or read_interlaced once, then finish.
// After any status but OK it is ready for the next open. Not for two threads at once.

typedef struct kaption_png_decoder kaption_png_decoder;

typedef struct {
    uint32_t width, height;
    int is_interlaced;
    const uint8_t *exif;  // a TIFF header and what follows; NULL: none. Lives until finish or an error.
    size_t exif_count;
} kaption_png_header;

// NULL when memory is out.
kaption_png_decoder *kaption_png_decoder_make(void);
void kaption_png_decoder_free(kaption_png_decoder *decoder);

// Reads what comes before the picture data. `bytes` must stay until finish or an error; a picture wider or higher than
// `maximum_side` is refused. The deadline is in nanoseconds of the calling thread's
// CLOCK_THREAD_CPUTIME_ID and is looked at between rows.
kaption_png_status kaption_png_open(kaption_png_decoder *decoder, const uint8_t *bytes, size_t count,
                                    uint32_t maximum_side, uint64_t deadline, kaption_png_header *header);
// Writes the next `rows` rows, four bytes a pixel: R, G, B over white and one that means nothing. `stride` is in bytes, at
// least 4 × width. There must be that many rows left, and the picture must not be interlaced.
kaption_png_status kaption_png_read_rows(kaption_png_decoder *decoder, uint8_t *pixels, size_t stride, uint32_t rows);
// Writes all rows of an interlaced picture, in the same form.
kaption_png_status kaption_png_read_interlaced(kaption_png_decoder *decoder, uint8_t *pixels, size_t stride);
// Reads to the end of the file, so that one cut short is known as such.
kaption_png_status kaption_png_finish(kaption_png_decoder *decoder);
// libpng's words for the last status that was not OK. Lives as long as the decoder, until the next call.
const char *kaption_png_message(const kaption_png_decoder *decoder);

// ---- Encoding (sample pictures and tests) -------------------------------------------------------------------------

typedef enum {
    KAPTION_PNG_GREY = 0,
    KAPTION_PNG_RGB = 2,
    KAPTION_PNG_PALETTE = 3,
    KAPTION_PNG_GREY_ALPHA = 4,
    KAPTION_PNG_RGBA = 6,
} kaption_png_colour;

typedef struct {
    uint32_t width, height;
    kaption_png_colour colour;
    int bits;  // a sample: 1, 2, 4, 8 or 16, as PNG allows for the colour; 16-bit samples are big endian
    int interlaced;
    const uint8_t *palette;  // RGB triples
    int palette_count;
    const uint8_t *palette_alpha;  // alpha of the first palette entries
    int palette_alpha_count;
    int has_transparent_colour;
    uint16_t transparent_colour[3];  // grey in the first, or R, G, B: that colour alone is transparent
    const uint8_t *exif;
    size_t exif_count;
} kaption_png_options;

// Writes a PNG file to memory that kaption_png_release frees. Rows of `pixels` are packed as in the file, without gaps.
kaption_png_status kaption_png_encode(const kaption_png_options *options, const uint8_t *pixels, uint8_t **bytes,
                                      size_t *count);
void kaption_png_release(uint8_t *bytes);
// The checksum of a PNG chunk's type and data.
uint32_t kaption_png_checksum(const uint8_t *bytes, size_t count);

#endif
