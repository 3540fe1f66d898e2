namespace KcdDelegation.AspNetCore;

/// <summary>The settings of the answers to requests that cannot be delegated.</summary>
public sealed class KcdAnswerOptions
{
    /// <summary>Gets or sets the contact that helps users, such as <c>the IT service desk</c>. The text continues the word
    /// "contact".</summary>
    public string Contact { get; set; } = "your IT service desk";

    /// <summary>Gets or sets the address of the contact: <c>https</c>, <c>mailto</c> or <c>tel</c>; null for none.</summary>
    public Uri? ContactAddress { get; set; }

    /// <summary>Gets or sets the time after which a client may repeat a request that failed because a server is unavailable.</summary>
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(30);

    internal bool HasValidContactAddress() =>
        ContactAddress is not { } address || (address.IsAbsoluteUri && address.Scheme is "https" or "mailto" or "tel");

    internal bool HasValidRetryAfter() => RetryAfter > TimeSpan.Zero && RetryAfter <= TimeSpan.FromHours(1);
}
