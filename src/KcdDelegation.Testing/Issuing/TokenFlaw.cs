namespace KcdDelegation.Testing;

/// <summary>The one thing that is wrong with a token of <see cref="TestIssuer.CreateBadToken"/>.</summary>
public enum TokenFlaw
{
    /// <summary>It ended an hour ago.</summary>
    Expired,

    /// <summary>It begins in an hour.</summary>
    NotYetValid,

    /// <summary>It has no end.</summary>
    NoExpiry,

    /// <summary>It is for another application.</summary>
    WrongAudience,

    /// <summary>It is of another issuer, signed with our key.</summary>
    WrongIssuer,

    /// <summary>Its <c>tid</c> is another tenant's.</summary>
    WrongTenant,

    /// <summary>It has no signature: <c>alg</c> is <c>none</c>.</summary>
    AlgorithmNone,

    /// <summary>It is signed with HS256, the public key taken for the secret.</summary>
    HmacWithPublicKey,

    /// <summary>It is signed with a key that is not published, under an identifier that is.</summary>
    OtherKey,

    /// <summary>It is signed with a key that is not published, under an identifier that is not either.</summary>
    UnknownKey,

    /// <summary>Its payload was changed after it was signed.</summary>
    Tampered,

    /// <summary>Its user is a guest (<c>acct</c> is 1).</summary>
    Guest,

    /// <summary>It has no user: an application's own token (<c>idtyp</c> is <c>app</c>).</summary>
    ApplicationOnly,
}
