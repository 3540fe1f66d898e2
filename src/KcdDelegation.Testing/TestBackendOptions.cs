using Microsoft.AspNetCore.Http;

namespace KcdDelegation.Testing;

/// <summary>What kind of web server a <see cref="TestBackend"/> is. Read once when it starts.</summary>
public sealed record TestBackendOptions
{
    /// <summary>How tokens are checked.</summary>
    public TestAcceptorOptions Acceptor { get; init; } = new();

    /// <summary>Values of <c>WWW-Authenticate</c> beside a 401.</summary>
    public IReadOnlyList<string> Challenges { get; init; } = ["Negotiate"];

    /// <summary>https with a self-signed certificate (<see cref="TestBackend.Certificate"/>), and channel binding to it.</summary>
    public bool Https { get; init; }

    /// <summary>The first user on a connection is taken for the sender of all that follows on it, whatever header they have, as by
    /// servers that keep Negotiate's identity with the connection.</summary>
    public bool ConnectionBound { get; init; }

    /// <summary>Bytes of all request headers together; over them: 431.</summary>
    public int MaxHeaderBytes { get; init; } = 64 * 1024;

    /// <summary>Answers requests of accepted users; the user is <c>context.Features.Get&lt;AcceptedIdentity&gt;()</c>. Null: the answer is
    /// the user's name, such as <c>ada@CONTOSO.TEST</c>.</summary>
    public RequestDelegate? Application { get; init; }
}

/// <summary>A request that a <see cref="TestBackend"/> received.</summary>
/// <param name="Method">GET, POST, …</param>
/// <param name="Path">Path and query.</param>
/// <param name="User">Whom the backend took for the sender; null: nobody.</param>
/// <param name="HasAuthorization">Whether there was such a header.</param>
/// <param name="Connection">The same for all requests of one connection.</param>
/// <param name="Refusal">Why its token was refused; null: there was none, or it was accepted.</param>
public sealed record TestBackendRequest(string Method, string Path, string? User, bool HasAuthorization, string Connection, string? Refusal);
