@NullMarked
package dev.wukong.serving.status;

import org.jspecify.annotations.NullMarked;
