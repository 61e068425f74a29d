// One layer on one image (or on the rows of a micro-batch, which are the pixels of a 1×rows image): what a plan's step
// becomes once its addresses are known, and what every kernel takes.
//
//  - Tensors are channels last. `stride` is the distance between pixels in floats, at least `channels`; a row of pixels
//    is width·stride long. Kernels neither read nor write the floats between `channels` and `stride`, so that a tensor
//    may be a slice of the channels of another one.
//  - The tail of a layer is, in this order: bias, residual, activation.
//  - Input, other and output do not overlap, except that a convolution's output may take the place of what it adds, element by element, where it is
//    narrow, or has one tap, stride 1 and at most KAPTION_SUM_IN_PLACE channels a group.
#ifndef KAPTION_LAYER_H
#define KAPTION_LAYER_H

#include "kaption_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    KAPTION_CONVOLUTION = 0,      // weights: kaption_convolution_pack; other: the residual to add, if has_other
    KAPTION_DEPTHWISE,            // weights: kaption_depthwise_pack; input channels = output channels
    KAPTION_ADD,                  // other: same shape, or 1×1 and repeated over the pixels
    KAPTION_MULTIPLY,             // as KAPTION_ADD
    KAPTION_SCALE_SHIFT,          // weights: scale[channels], bias: shift[channels]
    KAPTION_ACTIVATION,           // the tail alone
    KAPTION_MAX_POOL,             // cells outside the image do not count
    KAPTION_AVERAGE_POOL,         // divisor: see counts_padding
    KAPTION_GLOBAL_AVERAGE_POOL,  // output 1×1
    KAPTION_COPY,                 // same shape, other stride
    KAPTION_GATHER_CHANNELS,      // weights: uint32_t indices[output channels]
    KAPTION_CONVERT,              // the same values in the output's numbers
    KAPTION_WINOGRAD,             // a convolution; weights: kaption_winograd_pack
    KAPTION_OPERATION_COUNT
} kaption_operation;

typedef enum {
    KAPTION_LINEAR = 0,
    KAPTION_CLIP,          // max(alpha, min(beta, x)); NaN stays NaN
    KAPTION_SIGMOID,       // 1 / (1 + exp(-x))
    KAPTION_HARD_SIGMOID,  // max(0, min(1, alpha·x + beta))
    KAPTION_HARD_SWISH,    // x · max(0, min(1, x/6 + 1/2))
    KAPTION_SILU,          // x · sigmoid(x)
    KAPTION_GELU,          // x/2 · (1 + erf(x/√2))
    KAPTION_ACTIVATION_COUNT
} kaption_activation_kind;

typedef struct {
    kaption_activation_kind kind;
    float alpha;
    float beta;
} kaption_activation;

typedef struct {
    float *data;
    size_t height;
    size_t width;
    size_t channels;
    size_t stride;
} kaption_tensor;

// Products of a sum of floats that takes the place of what it adds, at most: partial sums do not wait in the output.
enum { KAPTION_SUM_IN_PLACE = 512 };

// How a tensor's elements are written. Those that are not floats lie in the same memory: strides count elements, and `data`
// is a pointer to the first one. Sixteen elements beyond a tensor's last one can be read, whatever they hold.
typedef enum {
    KAPTION_FLOAT32 = 0,
    KAPTION_UINT8,     // (q − zero) · scale
    KAPTION_BFLOAT16,  // the upper half of a float
} kaption_element;

typedef struct {
    kaption_element element;
    float scale;  // of KAPTION_UINT8, above 0
    float zero;   // of KAPTION_UINT8, an integer 0...255
} kaption_numbers;

// The outputs that a convolution by Winograd's algorithm computes together (kaption_winograd.h).
typedef struct {
    size_t height, width;
} kaption_winograd_tile;

// Where a window looks: output row y, tap i reads input row y·stride + i·dilation - pad.
typedef struct {
    size_t kernel_height, kernel_width;
    size_t stride_height, stride_width;
    size_t dilation_height, dilation_width;
    size_t pad_top, pad_left, pad_bottom, pad_right;
} kaption_window;

typedef struct {
    kaption_operation operation;
    kaption_activation activation;
    kaption_window window;
    size_t groups;       // of a convolution
    int counts_padding;  // of an average pool: divide by the window's cells in the padded image, else by those in the image
    int has_other;
    kaption_tensor input;
    kaption_tensor other;
    kaption_tensor output;
    // What input, other and output are written in. Where one is not KAPTION_FLOAT32 the layer is a narrow one (kaption_narrow.h).
    kaption_numbers input_numbers, other_numbers, output_numbers;
    const float *weights;
    const float *bias;   // per output channel, or NULL
    const float *zeros;  // at least as many zeros as the input has channels: what a tap outside the image reads
    kaption_winograd_tile tile;  // of KAPTION_WINOGRAD
    float *scratch;      // of a Winograd or narrow convolution
    size_t input_ring;   // of a depthwise convolution by strips: input row y lies where row y mod input_ring would; 0: no ring
    size_t row_begin;    // the output rows to compute: a strip, or 0..<height
    size_t row_end;
} kaption_layer;

// Runs one layer with the kernels of `isa`, which the CPU must have.
void kaption_layer_run(kaption_isa isa, const kaption_layer *layer);

// Floats that the packed weights of a convolution take: out × taps × (in / groups) weights.
size_t kaption_convolution_packed_floats(kaption_isa isa, size_t out, size_t taps, size_t in_per_group, size_t groups);
// Packs w[out][taps][in / groups] into `packed`, 64-byte aligned.
void kaption_convolution_pack(kaption_isa isa, size_t out, size_t taps, size_t in_per_group, size_t groups,
                              const float *w, float *packed);

// Floats that a depthwise convolution's packed weights take.
size_t kaption_depthwise_packed_floats(size_t channels, size_t taps);
// Packs w[channels][taps] tap by tap, 64-byte aligned.
void kaption_depthwise_pack(size_t channels, size_t taps, const float *w, float *packed);

#ifdef __cplusplus
}
#endif
#endif
