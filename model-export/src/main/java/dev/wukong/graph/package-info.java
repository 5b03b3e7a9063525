/**
 * A typed graph of ONNX operators: built in Java with inferred shapes, written to and read from the
 * ONNX format.
 */
@NullMarked
package dev.wukong.graph;

import org.jspecify.annotations.NullMarked;
