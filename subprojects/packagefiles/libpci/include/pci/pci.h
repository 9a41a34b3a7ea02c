/* SPDX-License-Identifier: GPL-2.0-or-later */
/* So that <pci/pci.h> is this source's header, never an installed one. */
#include "../../lib/pci.h"
