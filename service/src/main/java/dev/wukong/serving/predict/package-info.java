/** The gRPC edge: requests checked and decoded, answers made, failures turned into statuses. */
@NullMarked
package dev.wukong.serving.predict;

import org.jspecify.annotations.NullMarked;
