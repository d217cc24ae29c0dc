#!/usr/bin/env node
// Stands in the repository, and not in dist, so that package managers can link the command before the first build.
import '../dist/bin.js';
