/**
 * ONNX Runtime as training and serving share it: its environment, the devices it runs on, the
 * options of its sessions.
 */
@NullMarked
package dev.wukong.runtime;

import org.jspecify.annotations.NullMarked;
