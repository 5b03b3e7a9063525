@NullMarked
package dev.wukong.serving.cluster;

import org.jspecify.annotations.NullMarked;
