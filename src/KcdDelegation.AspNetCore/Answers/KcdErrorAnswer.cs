namespace KcdDelegation.AspNetCore;

/// <summary>The answer to a request that cannot be delegated. It contains nothing about accounts, services and realms. Immutable.</summary>
public sealed record KcdErrorAnswer
{
    /// <summary>Gets the problem.</summary>
    public required KcdErrorKind Kind { get; init; }

    /// <summary>Gets the status code. It is set on the response already.</summary>
    public required int StatusCode { get; init; }

    /// <summary>Gets the problem in one sentence, for the user.</summary>
    public required string Title { get; init; }

    /// <summary>Gets what the problem means for the user.</summary>
    public required string Explanation { get; init; }

    /// <summary>Gets what the user can do.</summary>
    public required string Advice { get; init; }

    /// <summary>Gets the identifier of the problem type for programs (RFC 9457 §3.1.1).</summary>
    public required string Type { get; init; }

    /// <summary>Gets the identifier with which an administrator finds the request in the log.</summary>
    public required string ActivityId { get; init; }

    /// <summary>Gets the time of the failure, in UTC.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>Gets the time after which the client may try again; null if trying again does not help.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Gets the contact that helps the user.</summary>
    public required string Contact { get; init; }

    /// <summary>Gets the address of the contact, or null.</summary>
    public Uri? ContactAddress { get; init; }
}
