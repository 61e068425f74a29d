// libjpeg (turbo) behind calls that return: its errors, which it reports by longjmp, never leave this target.
//
// What a warning of libjpeg's means here: where picture data is missing or damaged (the file ends early, entropy codes
// are wrong, restart markers are out of step, a progressive scan does not follow from the one before) decoding stops
// with KAPTION_JPEG_CORRUPT; oddities around sound picture data (stray bytes between segments, an unknown JFIF version
// or Adobe transform) are passed over.
#ifndef KAPTION_CJPEG_H
#define KAPTION_CJPEG_H

#include <stddef.h>
#include <stdint.h>

typedef enum {
    KAPTION_JPEG_OK = 0,
    KAPTION_JPEG_CORRUPT,
    KAPTION_JPEG_UNSUPPORTED,
    KAPTION_JPEG_TIMEOUT,
    KAPTION_JPEG_TOO_MANY_SCANS,
    KAPTION_JPEG_NO_MEMORY,
} kaption_jpeg_status;

// ---- Decoding ---------------------------------------------------------------------------------------------------
// One decoder serves image after image: open, start, select if only a part is wanted, read_rows as often as need be, finish.
// After any status but OK it is ready for the next open. Not for two threads at once.

typedef struct kaption_jpeg_decoder kaption_jpeg_decoder;

// NULL when memory is out.
kaption_jpeg_decoder *kaption_jpeg_decoder_make(void);
void kaption_jpeg_decoder_free(kaption_jpeg_decoder *decoder);
// From the next start on libjpeg decodes entropy codes too, as it does wherever entropy.h cannot: what that is checked against.
void kaption_jpeg_leave_all_to_libjpeg(kaption_jpeg_decoder *decoder);

// Reads the header. `bytes` must stay until finish or an error. The deadline is in nanoseconds of the calling
// thread's CLOCK_THREAD_CPUTIME_ID and is looked at between rows and between scans.
kaption_jpeg_status kaption_jpeg_open(kaption_jpeg_decoder *decoder, const uint8_t *bytes, size_t count,
                                      int maximum_scans, uint64_t deadline);
// Starts decoding at `eighths`/8 of the full size (1, 2, 4 or 8). Gives the size of what read_rows will write.
kaption_jpeg_status kaption_jpeg_start(kaption_jpeg_decoder *decoder, int eighths, uint32_t *width, uint32_t *height);
// Leaves out what nobody will read, at the sides and above; its entropy codes are looked at all the same. Takes the columns
// wanted and gives those that read_rows will write, which hold them; the next row is `row`. The pixels are those of the whole.
// Where libjpeg cannot, as in files of several scans, nothing is left out: `column` and `width` become the whole's, `row` 0.
kaption_jpeg_status kaption_jpeg_select(kaption_jpeg_decoder *decoder, uint32_t *column, uint32_t *width, uint32_t *row);
// Writes the next `rows` rows, four bytes a pixel: R, G, B and one that means nothing. `stride` is in bytes, at least 4 × width.
// There must be that many rows left.
kaption_jpeg_status kaption_jpeg_read_rows(kaption_jpeg_decoder *decoder, uint8_t *pixels, size_t stride, uint32_t rows);
// Reads to the end of the picture, so that one cut short is known as such.
kaption_jpeg_status kaption_jpeg_finish(kaption_jpeg_decoder *decoder);
// libjpeg's words for the last status that was not OK. Lives as long as the decoder, until the next call.
const char *kaption_jpeg_message(const kaption_jpeg_decoder *decoder);

// ---- Encoding (sample pictures and tests) -------------------------------------------------------------------------

typedef enum {
    KAPTION_JPEG_GREY,   // 1 byte a pixel
    KAPTION_JPEG_RGB,    // 3 bytes a pixel, stored as RGB
    KAPTION_JPEG_YCBCR,  // 3 bytes a pixel (R, G, B), stored as YCbCr
    KAPTION_JPEG_CMYK,   // 4 bytes a pixel, stored as they are (Adobe's files hold 255 − ink)
    KAPTION_JPEG_YCCK,   // 4 bytes a pixel (C, M, Y, K), stored as YCCK
} kaption_jpeg_colour;

typedef struct {
    uint32_t width, height;
    kaption_jpeg_colour colour;
    int quality;           // 1...100
    int chroma_horizontal; // 1 to 4: how many times wider luma is sampled than chroma (YCbCr, YCCK)
    int chroma_vertical;   // 1 to 4; a picture's product is 8 at most
    int progressive;       // 0 or 1
    int arithmetic;        // 0 or 1: arithmetic instead of Huffman coding
    int restart_rows;      // a restart marker after so many rows of blocks; 0: none
} kaption_jpeg_options;

// Writes a JPEG file to memory that kaption_jpeg_release frees. Rows of `pixels` lie without gaps.
kaption_jpeg_status kaption_jpeg_encode(const kaption_jpeg_options *options, const uint8_t *pixels, uint8_t **bytes,
                                        size_t *count);
void kaption_jpeg_release(uint8_t *bytes);

#endif
