/**
 * Strict reading of YAML configuration: every error names the path, the value and what is allowed.
 */
@NullMarked
package dev.wukong.config;

import org.jspecify.annotations.NullMarked;
