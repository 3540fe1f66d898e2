using KcdDelegation.Diagnosis;

namespace KcdDelegation.Token;

/// <summary>Why a token is not believed. Nothing here quotes the token beyond a bounded, printable piece.</summary>
internal static class TokenRefusal
{
    private const string FreshToken = "Get a new access token from the issuer and send it unchanged.";

    public static KcdException TooLarge(int length, int limit) => Because(KcdEventId.TokenTooLarge,
        $"The token has {length} characters, more than the {limit} that are read.", "Have the issuer put fewer groups into it.");

    public static KcdException Malformed(string why) => Because(KcdEventId.TokenMalformed, $"The token is malformed: {why}.", FreshToken);

    public static KcdException MembersDoubled(string part) => Because(KcdEventId.TokenMembersDoubled,
        $"The token's {part} has a member twice, which two readers may read differently (RFC 8725 §2.6).",
            "Find out who made this token: no issuer does so by itself.");

    public static KcdException Encrypted() => Because(KcdEventId.TokenEncrypted,
        "The token is encrypted (JWE).", "Have the issuer sign it only: remove the token encryption certificate of the application.");

    public static KcdException TypeRefused(string type) => Because(KcdEventId.TokenTypeRefused,
        $"The token is of the type {Brief(type)}, not an access token.", "Send the access token, not another token of the same issuer.");

    public static KcdException CriticalExtension() => Because(KcdEventId.TokenCriticalExtension,
        "The token demands that an extension be understood (crit, RFC 7515 §4.1.11), and none is.",
            "Have the issuer send plain signed tokens.");

    public static KcdException AlgorithmRefused(string? algorithm) => Because(KcdEventId.TokenAlgorithmRefused,
        $"The token's algorithm {Brief(algorithm)} is not an asymmetric signature.",
            "Have the issuer sign with RS256, PS256 or ES256; none and HMAC are never taken.");

    public static KcdException KeyUnknown(string kid) => Because(KcdEventId.TokenKeyUnknown,
        $"The issuer publishes no signing key {Brief(kid)}.",
            "Get a new token; if it goes on, compare Kcd:Token:Authority with the issuer of the token. An Entra application with a "
            + "signing key of its own needs ?appid=CLIENT-ID behind it.");

    public static KcdException KeyUnknownYet(string kid) => (Refusal(KcdEventId.TokenKeyUnknown,
        $"The signing key {Brief(kid)} is not known, and the issuer was asked for its keys a moment ago.",
            "Try again in half a minute.") with { IsTransient = true }).ToException();

    public static KcdException KeyRefused(string kid, string why) => Because(KcdEventId.TokenKeyRefused,
        $"The issuer's signing key {Brief(kid)} is not used: {why}.",
            "Have the issuer sign with RSA of 2,048 bits or more, or with a NIST curve.");

    public static KcdException SignatureWrong() => Because(KcdEventId.TokenSignatureWrong,
        "The token's signature is wrong: it was changed, or made by somebody else.", FreshToken);

    public static KcdException Expired() =>
        Because(KcdEventId.TokenExpired, "The token has expired.", "Get a new token; if it is new, compare the clocks.");

    public static KcdException NotYetValid() => Because(KcdEventId.TokenNotYetValid,
        "The token is not valid yet, or was issued in the future.", "Compare this machine's clock with the issuer's (NTP).");

    public static KcdException IssuerWrong(string expected) =>
        Because(KcdEventId.TokenIssuerWrong, $"The token is not from the issuer {PrintableText.From(expected)}.",
        "Send a token of the configured issuer. In Entra, tokens of version 1.0 come from sts.windows.net: set "
            + "requestedAccessTokenVersion to 2 in the application's manifest, or write Kcd:Token:Authority without /v2.0.");

    public static KcdException TenantWrong(string? tenant) =>
        Because(KcdEventId.TokenTenantWrong, $"The token does not say that it belongs to the tenant {tenant}.",
        "Sign in with an account of the configured tenant.");

    public static KcdException AudienceWrong(string expected) =>
        Because(KcdEventId.TokenAudienceWrong, $"The token is not for the audience {PrintableText.From(expected)}.",
        "Ask the issuer for a token for this gateway (scope), or correct Kcd:Token:Audience; it is compared character by character.");

    public static KcdException NotConfigured() => Because(KcdEventId.TokenNotConfigured,
        "No issuer is configured, so no token can be believed.",
            "Set Kcd:Token:Authority, Audience and TenantId, or pass principals that the host has authenticated.");

    private static string Brief(string? text) => PrintableText.Quoted(PrintableText.From(text, 48));

    private static DelegationFailure Refusal(int eventId, string cause, string remedy) =>
        DelegationFailure.Identity(eventId, cause, remedy);

    private static KcdException Because(int eventId, string cause, string remedy) => Refusal(eventId, cause, remedy).ToException();
}
