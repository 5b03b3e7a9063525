@NullMarked
package dev.wukong.serving.rehearsal;

import org.jspecify.annotations.NullMarked;
