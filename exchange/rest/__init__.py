"""The API: resources in JSON under ``/api/v1``, for programs that hold a person's access token."""
