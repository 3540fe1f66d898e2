namespace KcdDelegation.Testing;

/// <summary>The flaw of a token from <see cref="TestIssuer.CreateBadToken"/>.</summary>
public enum TokenFlaw
{
    /// <summary>The token expired an hour ago.</summary>
    Expired,

    /// <summary>The token becomes valid in an hour.</summary>
    NotYetValid,

    /// <summary>The token has no <c>exp</c>.</summary>
    NoExpiry,

    /// <summary>The audience is another application.</summary>
    WrongAudience,

    /// <summary>The issuer is another one; the signature is valid.</summary>
    WrongIssuer,

    /// <summary>The <c>tid</c> is another tenant's.</summary>
    WrongTenant,

    /// <summary>The token has no signature: <c>alg</c> is <c>none</c>.</summary>
    AlgorithmNone,

    /// <summary>The token is signed with HS256, with the public key as the secret.</summary>
    HmacWithPublicKey,

    /// <summary>The token is signed with an unpublished key, under a published identifier.</summary>
    OtherKey,

    /// <summary>The token is signed with an unpublished key, under an unpublished identifier.</summary>
    UnknownKey,

    /// <summary>The payload was changed after signing.</summary>
    Tampered,

    /// <summary>The user is a guest (<c>acct</c> is 1).</summary>
    Guest,

    /// <summary>The token has no user: it is an application's own (<c>idtyp</c> is <c>app</c>).</summary>
    ApplicationOnly,
}
