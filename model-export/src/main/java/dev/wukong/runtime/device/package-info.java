/**
 * Graphs whose inputs and outputs lie where the caller says, in the memory of a device or of the
 * host: what ONNX Runtime's Java interface has no door to, through its C interface. Copies, queues
 * and recordings of a GPU through CUDA's runtime.
 */
@NullMarked
package dev.wukong.runtime.device;

import org.jspecify.annotations.NullMarked;
