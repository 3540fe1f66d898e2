namespace KcdDelegation;

/// <summary>The kinds of tokens that identify a user. The host names the kind that it expects.</summary>
public enum TokenKind
{
    /// <summary>An access token: its audience is this gateway's API, and it carries scopes or roles. For bearer authentication.</summary>
    AccessToken,

    /// <summary>An ID token: its audience is the client that signed the user in. It carries no scopes. For sign-ins.</summary>
    IdToken,
}
