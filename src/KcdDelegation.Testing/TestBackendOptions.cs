using Microsoft.AspNetCore.Http;

namespace KcdDelegation.Testing;

/// <summary>The settings of a <see cref="TestBackend"/>. Read once when it starts.</summary>
public sealed record TestBackendOptions
{
    /// <summary>Gets the settings for token validation.</summary>
    public TestAcceptorOptions Acceptor { get; init; } = new();

    /// <summary>Gets the values of <c>WWW-Authenticate</c> in a 401 response.</summary>
    public IReadOnlyList<string> Challenges { get; init; } = ["Negotiate"];

    /// <summary>Gets whether to use https with a self-signed certificate (<see cref="TestBackend.Certificate"/>) and channel binding to
    /// it.</summary>
    public bool Https { get; init; }

    /// <summary>Gets whether the first user on a connection is the user of all later requests on it, whatever their headers. Some servers
    /// keep the identity of Negotiate with the connection.</summary>
    public bool ConnectionBound { get; init; }

    /// <summary>Gets the maximum size of all request headers in bytes. Requests over it get a 431.</summary>
    public int MaxHeaderBytes { get; init; } = 64 * 1024;

    /// <summary>Gets the handler for requests of authenticated users; the user is <c>context.Features.Get&lt;AcceptedIdentity&gt;()</c>.
    /// Null: the response is the user's name, such as <c>ada@CONTOSO.TEST</c>.</summary>
    public RequestDelegate? Application { get; init; }
}

/// <summary>A request that a <see cref="TestBackend"/> received.</summary>
/// <param name="Method">The method, such as GET.</param>
/// <param name="Path">Path and query.</param>
/// <param name="User">The authenticated user; null: the request was not authenticated.</param>
/// <param name="HasAuthorization">Whether the request had an <c>Authorization</c> header.</param>
/// <param name="Connection">An identifier of the connection.</param>
/// <param name="Refusal">The reason why the token was refused; null: there was no token, or it was accepted.</param>
public sealed record TestBackendRequest(
    string Method, string Path, string? User, bool HasAuthorization, string Connection, string? Refusal);
