/**
 * Bundles as one ONNX file with the embedding tables inside, for servers that know nothing of
 * bundles.
 */
@NullMarked
package dev.wukong.standalone;

import org.jspecify.annotations.NullMarked;
