/**
 * The Open Inference Protocol, version 2: another door to Predict, for the clients that speak it.
 */
@NullMarked
package dev.wukong.serving.inference;

import org.jspecify.annotations.NullMarked;
