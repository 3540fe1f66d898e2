using System.Net;

namespace KcdDelegation.AspNetCore.Requests;

/// <summary>A response with which a backend refused the ticket.</summary>
/// <param name="Error">The cause.</param>
/// <param name="Status">The status of the backend's response.</param>
internal sealed record BackendRefusal(KcdException Error, HttpStatusCode Status);
