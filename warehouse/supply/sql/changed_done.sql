UPDATE energy.consumer SET through = %(through)s WHERE consumer = 'supply'
