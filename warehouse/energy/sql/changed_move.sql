UPDATE energy.consumer SET through = greatest(through, %(through)s) WHERE consumer = %(consumer)s
