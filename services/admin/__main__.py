"""`python -m services.admin`: the same as `cueapi-admin`."""

from services.admin.app import main

if __name__ == "__main__":
    main()
